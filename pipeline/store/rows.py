"""Records as rows of a video's Zarr groups and Parquet tables: what the stages append and read back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import (
    Clip,
    ClipScores,
    Floats,
    IndoorScore,
    MetricScene,
    Occupancy,
    Reconstruction,
    ScaleSource,
    SceneCategory,
    Semantics,
)
from pipeline.store.files import VideoStore
from pipeline.store.group_writer import GroupWriter

CLASS_COUNTS = (*(c for c in SemanticClass if c != SemanticClass.UNKNOWN), SemanticClass.UNKNOWN)
"""Columns of ``occupancy/class_counts``: the twelve classes, then unknown."""

PROVENANCE = b"provenance"
SCORED_BY = b"scored_by"
SCORE_COLUMNS = ("indoor_score", "scene_categories")
SCENE_CATEGORIES = pa.list_(pa.struct([("name", pa.string()), ("probability", pa.float64())]))
EMBEDDINGS_PER_CHUNK = 256


def clips_metadata(video: VideoStore) -> dict[str, Any]:
    """Return the provenance that the stage ``clips`` keeps in the metadata of ``clips.parquet``."""
    metadata = video.read_table("clips.parquet").schema.metadata or {}
    content: dict[str, Any] = json.loads(metadata.get(PROVENANCE, b"{}"))
    return content


def stored_clips(video: VideoStore) -> list[Clip]:
    """Return the clips of ``clips.parquet``."""
    return [_clip_of_row(row) for row in video.read_table("clips.parquet").to_pylist()]


def clip_rows(video: VideoStore) -> list[tuple[int, slice]]:
    """Return (clip id, rows of the video's arrays) of every stored clip, in order."""
    ids = video.read("frames", "clip_id")
    ends = [(clip_id, sum(1 for _ in same)) for clip_id, same in groupby(ids.tolist())]
    stops = np.cumsum([count for _, count in ends]).tolist()
    return [(clip_id, slice(stop - count, stop)) for (clip_id, count), stop in zip(ends, stops, strict=True)]


def read_scene(video: VideoStore, rows: slice) -> MetricScene:
    """Return the metric scene of the clip in ``rows``."""
    found = read_reconstruction(video, rows, "scene")
    first = slice(rows.start, rows.start + 1)
    return MetricScene(
        intrinsics=found.intrinsics,
        camera_to_world=found.camera_to_world,
        depth=found.depth,
        confidence=found.confidence,
        registered=found.registered,
        ceiling_height=float(video.read("scene", "ceiling_height", first)[0]),
        up_confidence=float(video.read("scene", "up_confidence", first)[0]),
        scale_source=ScaleSource(int(video.read("scene", "scale_source", first)[0])),
        world_from_reconstruction=video.read("scene", "world_from_reconstruction", first)[0],
    )


def write_clips(video: VideoStore, clips: Sequence[Clip], provenance: Mapping[str, Any]) -> None:
    """Write ``clips.parquet``, one row a clip, as the stage ``clips`` leaves it: no clip has an indoor score yet."""
    rows = [{key: _plain(value) for key, value in asdict(clip).items()} for clip in clips]
    video.write_table("clips.parquet", pa.Table.from_pylist(rows, metadata={PROVENANCE: json.dumps(provenance)}))


def write_indoor_scores(video: VideoStore, scores: Sequence[IndoorScore], scored_by: str) -> None:
    """Add every clip's score to ``clips.parquet``: columns ``indoor_score`` and ``scene_categories``.

    scored_by: what decides the scores; kept in the table's metadata, so that they are not used for anything else.
    """
    table = video.read_table("clips.parquet")
    table = table.select([name for name in table.column_names if name not in SCORE_COLUMNS])
    categories = [[asdict(category) for category in score.categories] for score in scores]
    table = table.append_column("indoor_score", pa.array([score.indoor for score in scores], pa.float64()))
    table = table.append_column("scene_categories", pa.array(categories, SCENE_CATEGORIES))
    metadata = {**(table.schema.metadata or {}), SCORED_BY: scored_by}
    video.write_table("clips.parquet", table.replace_schema_metadata(metadata))


def indoor_scores(video: VideoStore, scored_by: str | None = None) -> list[IndoorScore]:
    """Return every clip's score, in the order of the clips; none where none is stored or ``scored_by`` is another."""
    table = video.read_table("clips.parquet")
    known = (table.schema.metadata or {}).get(SCORED_BY, b"").decode()
    if not known or scored_by not in (None, known):
        return []
    return [
        IndoorScore(indoor, categories=tuple(SceneCategory(**category) for category in categories))
        for indoor, categories in zip(*(table[name].to_pylist() for name in SCORE_COLUMNS), strict=True)
    ]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _clip_of_row(row: dict[str, Any]) -> Clip:
    arrays: dict[str, NDArray[Any]] = {
        "frame_index": np.array(row["frame_index"], np.int64),
        "time_s": np.array(row["time_s"], np.float64),
        "sharpness": np.array(row["sharpness"], np.float32),
    }
    known: dict[str, Any] = {field.name: row.get(field.name) for field in fields(Clip)}
    scores = ClipScores(**row["scores"]) if row.get("scores") else None
    return Clip(**{**known, **arrays, "scores": scores})


def unit_depth(found: Reconstruction) -> Reconstruction:
    """Return the reconstruction in units of its median depth."""
    given = found.depth[found.depth > 0]
    unit = float(np.median(given)) if given.size else 1.0
    camera_to_world = found.camera_to_world.copy()
    camera_to_world[:, :3, 3] /= unit
    return replace(found, camera_to_world=camera_to_world, depth=found.depth / unit)


def append_reconstruction(group: GroupWriter, found: Reconstruction) -> None:
    """Append the rows of one clip to the group ``reconstruction``."""
    group.append("intrinsics", found.intrinsics.astype(np.float32))
    group.append("camera_to_world", found.camera_to_world.astype(np.float32))
    group.append("depth", found.depth.astype(np.float16))
    group.append("confidence", found.confidence.astype(np.float16))
    group.append("registered", found.registered)


def read_reconstruction(video: VideoStore, rows: slice, group: str = "reconstruction") -> Reconstruction:
    """Return the cameras and depth of the clip in ``rows`` from a group that holds them."""
    return Reconstruction(
        intrinsics=video.read(group, "intrinsics", rows),
        camera_to_world=video.read(group, "camera_to_world", rows),
        depth=video.read(group, "depth", rows).astype(np.float32),
        confidence=video.read(group, "confidence", rows).astype(np.float32),
        registered=video.read(group, "registered", rows),
    )


def append_scene(group: GroupWriter, scene: MetricScene) -> None:
    """Append the rows of one clip to the group ``scene``."""
    n = len(scene.registered)
    group.append("intrinsics", scene.intrinsics.astype(np.float32))
    group.append("camera_to_world", scene.camera_to_world.astype(np.float32))
    group.append("depth", scene.depth.astype(np.float16))
    group.append("confidence", scene.confidence.astype(np.float16))
    group.append("registered", scene.registered)
    group.append("ceiling_height", np.full(n, scene.ceiling_height, np.float32))
    group.append("up_confidence", np.full(n, scene.up_confidence, np.float32))
    group.append("depth_share", (scene.depth > 0).mean(axis=(1, 2)).astype(np.float32))
    group.append("scale_source", np.full(n, scene.scale_source, np.uint8))
    group.append("world_from_reconstruction", np.repeat(scene.world_from_reconstruction[None], n, axis=0))


def append_semantics(group: GroupWriter, semantics: Semantics, regions_before: int) -> int:
    """Append the rows of one clip to the group ``semantics``; returns the number of region embeddings so far.

    Where a backend grades no confidence, a label counts as certain (255). Region r of frame f has its embedding, if
    there are any, in row ``region_offset[f] + r - 1`` of ``region_embeddings``.
    """
    labelled = np.where(semantics.labels == SemanticClass.UNKNOWN, 0, 255).astype(np.uint8)
    still = np.zeros(semantics.labels.shape, np.bool_)
    group.append("labels", semantics.labels)
    group.append("regions", semantics.regions)
    group.append("confidence", labelled if semantics.confidence is None else semantics.confidence)
    group.append("moving", still if semantics.moving is None else semantics.moving)
    if semantics.region_embeddings is None or semantics.region_offsets is None:
        group.append("region_offset", np.full(len(semantics.labels), regions_before, np.int64))
        return regions_before
    group.append("region_offset", regions_before + semantics.region_offsets[:-1])
    group.append("region_embeddings", semantics.region_embeddings, EMBEDDINGS_PER_CHUNK)
    return regions_before + len(semantics.region_embeddings)


def read_labels(video: VideoStore, rows: slice) -> Semantics:
    """Return labels, regions, confidence and moving pixels of the clip in ``rows``; embeddings stay in the store."""
    names = ("labels", "regions", "confidence", "moving")
    labels, regions, confidence, moving = (video.read("semantics", name, rows) for name in names)
    return Semantics(labels, regions, confidence, moving)


def blank_semantics(depth: Floats) -> Semantics:
    """Return frames (n, h, w) in which no pixel has a label."""
    unknown = np.full(depth.shape, SemanticClass.UNKNOWN, np.uint8)
    return Semantics(unknown, np.zeros(depth.shape, np.uint16))


def without_moving(scene: MetricScene, semantics: Semantics) -> MetricScene:
    """Drop the depth of people and pets, which belong into no grid."""
    return scene if semantics.moving is None else replace(scene, depth=np.where(semantics.moving, 0, scene.depth))


def append_occupancy(group: GroupWriter, occupancy: Occupancy) -> NDArray[np.int32]:
    """Append the rows of one clip to the group ``occupancy``; returns its class counts (n, 13)."""
    counts = np.stack([(occupancy.labels == c).sum(axis=(1, 2, 3)) for c in CLASS_COUNTS], axis=1).astype(np.int32)
    group.append("labels", occupancy.labels)
    group.append("origin", occupancy.origin)
    group.append("grid_from_world", occupancy.grid_from_world)
    group.append("class_counts", counts)
    return counts


def blank_reconstruction(n: int, h: int, w: int) -> Reconstruction:
    """Return n frames without cameras or depth."""
    zeros = np.zeros((n, h, w), np.float32)
    return Reconstruction(
        np.zeros((n, 3, 3), np.float32), np.zeros((n, 4, 4), np.float32), zeros, zeros, np.zeros(n, bool)
    )


def blank_scene(like: Reconstruction) -> MetricScene:
    """Return a scene without cameras or depth, of the shape of a reconstruction."""
    blank = blank_reconstruction(*like.depth.shape)
    return MetricScene(
        intrinsics=blank.intrinsics,
        camera_to_world=blank.camera_to_world,
        depth=blank.depth,
        confidence=blank.confidence,
        registered=blank.registered,
        ceiling_height=float("nan"),
        up_confidence=0.0,
        scale_source=ScaleSource.NONE,
        world_from_reconstruction=np.eye(4),
    )


def blank_occupancy(n: int) -> Occupancy:
    """Return n grids in which all is unknown."""
    labels = np.full((n, *GRID_SHAPE), SemanticClass.UNKNOWN, np.uint8)
    return Occupancy(labels, np.zeros((n, 3), np.float32), np.zeros((n, 4, 4), np.float32))
