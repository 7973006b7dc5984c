"""What is stored of a video as records: clips, scenes, labels, by the rows that a clip has in every array."""

from dataclasses import fields
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.classes import COUNTED_CLASSES, SemanticClass
from pipeline.contract.errors import CorruptStore
from pipeline.contract.records import WHOLE, Box, Clip, ClipScores, MetricScene, Reconstruction, Semantics
from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.store.groups import (
    CLIPS,
    DEPTH_SOURCE,
    DISTORTION,
    FRAMES,
    LOG_SCALE,
    LOG_SCALE_SIGMA,
    OCCUPANCY,
    PROBABILITY_RIGHT,
    RECONSTRUCTION,
    ROLLING_SHUTTER,
    SCALE_SIGMA,
    SCENE,
    SEMANTICS,
    WORLD_ID,
)
from pipeline.store.video import VideoStore

WITH_EMBEDDINGS = "with the backend san (--profile small or youtube_occ)"


def stored_clips(video: VideoStore) -> list[Clip]:
    """Return the clips of ``clips.parquet``; raises ``StageMissing`` and ``CorruptStore``."""
    table = video.read_table(CLIPS)
    try:
        return [_clip_of_row(row) for row in table.to_pylist()]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CorruptStore(f"{video.video_id}/{CLIPS} is no table of clips ({error}): build the video again") from error


def read_clips_note(video: VideoStore, key: bytes) -> str:
    """Return what a stage noted under a key of ``clips.parquet``; empty where it noted nothing."""
    if not video.exists(CLIPS):
        return ""
    metadata: dict[bytes, bytes] = video.read_table(CLIPS).schema.metadata or {}
    return metadata.get(key, b"").decode(errors="replace")


def write_clips(video: VideoStore, table: pa.Table, key: bytes, note: str) -> None:
    """Write ``clips.parquet`` anew with a note under a key; other notes stay."""
    video.write_table(CLIPS, table.replace_schema_metadata({**(table.schema.metadata or {}), key: note}))


def clip_rows(video: VideoStore) -> list[tuple[int, slice]]:
    """Return (clip id, rows of the video's arrays) of every stored clip, in order."""
    ids = video.read(FRAMES, "clip_id")
    ends = [(clip_id, sum(1 for _ in same)) for clip_id, same in groupby(ids.tolist())]
    stops = np.cumsum([count for _, count in ends]).tolist()
    return [(clip_id, slice(stop - count, stop)) for (clip_id, count), stop in zip(ends, stops, strict=True)]


def pictures_group(video: VideoStore) -> str:
    """Return the group whose ``rgb`` the cameras, depth and labels of a video are of.

    Pictures are those of ``frames``, but where a lens bent them: then ``reconstruction`` holds straightened ones.
    """
    return RECONSTRUCTION if _lists(video, "rgb") else FRAMES


def read_pictures(video: VideoStore, rows: slice | NDArray[np.int64] | None = None) -> Images:
    """Return the pictures (n, 480, 640, 3) uint8 that the stored intrinsics are those of."""
    return np.asarray(video.read(pictures_group(video), "rgb", rows), np.uint8)


def read_distortion(video: VideoStore) -> Float64s | None:
    """Return the coefficients (5,) of ``Distortion`` by which pictures were straightened; None: they were not."""
    if not _lists(video, DISTORTION):
        return None
    return np.asarray(video.read(RECONSTRUCTION, DISTORTION, slice(0, 1))[0], np.float64)


def read_rolling_shutter(video: VideoStore) -> Float64s | None:
    """Return what rows that were exposed one after another were moved back by (N, 10), as ``Rectification.as_rows``.

    None where nothing of the kind was done.
    """
    return np.asarray(video.read(RECONSTRUCTION, ROLLING_SHUTTER)) if _lists(video, ROLLING_SHUTTER) else None


def read_reconstruction(video: VideoStore, rows: slice, group: str = RECONSTRUCTION) -> Reconstruction:
    """Return the cameras and depth of the clip in ``rows`` from a group that holds them, and its scale if it does."""
    log_scale, sigma = read_metric_scale(video, rows) if group == RECONSTRUCTION else (float("nan"), float("nan"))
    return Reconstruction(
        intrinsics=video.read(group, "intrinsics", rows),
        camera_to_world=video.read(group, "camera_to_world", rows),
        depth=video.read(group, "depth", rows).astype(np.float32),
        confidence=video.read(group, "confidence", rows).astype(np.float32),
        registered=video.read(group, "registered", rows),
        log_scale=log_scale,
        log_scale_sigma=sigma,
    )


def read_scene(video: VideoStore, rows: slice) -> MetricScene:
    """Return the metric scene of the clip in ``rows``."""
    found = read_reconstruction(video, rows, SCENE)
    first = slice(rows.start, rows.start + 1)
    return MetricScene(
        intrinsics=found.intrinsics,
        camera_to_world=found.camera_to_world,
        depth=found.depth,
        confidence=found.confidence,
        registered=found.registered,
        ceiling_height=float(video.read(SCENE, "ceiling_height", first)[0]),
        up_confidence=float(video.read(SCENE, "up_confidence", first)[0]),
        scale_source=ScaleSource(int(video.read(SCENE, "scale_source", first)[0])),
        world_from_reconstruction=video.read(SCENE, "world_from_reconstruction", first)[0],
        guessed=read_guessed(video, SCENE, rows),
        camera_height=float(read_later(video, "camera_height", first)[0]),
        scale_sigma=float(read_later(video, SCALE_SIGMA, first)[0]),
        scale_cues=ScaleCue(int(read_scale_cues(video, first)[0])),
        world_id=int(read_world_id(video, first)[0]),
        floor_height=np.nan_to_num(read_later(video, "floor_height", rows)),
    )


def read_later(video: VideoStore, name: str, rows: slice | NDArray[np.int64] | None = None) -> Floats:
    """Return an array (n,) of ``scene`` that releases up to 0.2 did not store: nan there."""
    if video.has_array(SCENE, name):
        return np.asarray(video.read(SCENE, name, rows), np.float32)
    return np.full(len(video.read(SCENE, "scale_source", rows)), np.nan, np.float32)


def read_scale_cues(video: VideoStore, rows: slice | NDArray[np.int64] | None = None) -> NDArray[np.uint16]:
    """Return what the scale of frames (n,) was read from, a sum of ``ScaleCue``; 0 where it was not stored."""
    if video.has_array(SCENE, "scale_cues"):
        return np.asarray(video.read(SCENE, "scale_cues", rows), np.uint16)
    return np.zeros(len(video.read(SCENE, "scale_source", rows)), np.uint16)


def read_world_id(video: VideoStore, rows: slice | NDArray[np.int64] | None = None) -> NDArray[np.int32]:
    """Return the first clip of the world of frames (n,), which share one frame and scale; -1 where it is not known."""
    if video.has_array(SCENE, WORLD_ID):
        return np.asarray(video.read(SCENE, WORLD_ID, rows), np.int32)
    return np.full(len(video.read(SCENE, "scale_source", rows)), -1, np.int32)


def read_probability_right(video: VideoStore, rows: slice | NDArray[np.int64] | None = None) -> Floats:
    """Return how probable it is that the reconstruction of frames (n,) is right; nan where it is not known.

    Releases before 0.3 did not store it, and some backends cannot tell.
    """
    if video.has_array(RECONSTRUCTION, PROBABILITY_RIGHT):
        return np.asarray(video.read(RECONSTRUCTION, PROBABILITY_RIGHT, rows), np.float32)
    ids: NDArray[np.int32] = video.read(FRAMES, "clip_id")
    return np.full(len(ids if rows is None else ids[rows]), np.nan, np.float32)


def read_metric_scale(video: VideoStore, rows: slice) -> tuple[float, float]:
    """Return what metric depth says of a clip's scale: ln(metres a unit of its reconstruction), and its deviation.

    nan and nan where nothing was asked, or nothing could tell.
    """
    if not video.has_array(RECONSTRUCTION, LOG_SCALE):
        return float("nan"), float("nan")
    first = slice(rows.start, rows.start + 1)
    value, deviation = (float(video.read(RECONSTRUCTION, name, first)[0]) for name in (LOG_SCALE, LOG_SCALE_SIGMA))
    return value, deviation


def read_depth_source(video: VideoStore, rows: slice) -> NDArray[np.uint8] | None:
    """Return ``DepthSource`` of every pixel (n, h, w) of a reconstruction; None where all is of one kind."""
    if not video.has_array(RECONSTRUCTION, DEPTH_SOURCE):
        return None
    return np.asarray(video.read(RECONSTRUCTION, DEPTH_SOURCE, rows), np.uint8)


def read_guessed(video: VideoStore, group: str, rows: slice) -> NDArray[np.bool_]:
    """Return which pixels (n, h, w) or voxels (n, 60, 60, 36) are guessed; none in groups of earlier releases."""
    if video.has_array(group, "guessed"):
        return np.asarray(video.read(group, "guessed", rows), np.bool_)
    like = "depth" if group == SCENE else "labels"
    return np.zeros(video.read(group, like, rows).shape, np.bool_)


def read_labels(video: VideoStore, rows: slice) -> Semantics:
    """Return labels, regions, confidence and moving pixels of the clip in ``rows``; embeddings stay in the store."""
    names = ("labels", "regions", "confidence", "moving")
    labels, regions, confidence, moving = (video.read(SEMANTICS, name, rows) for name in names)
    return Semantics(labels, regions, confidence, moving)


def read_class_counts(video: VideoStore) -> NDArray[np.int32]:
    """Return the voxels of every label (N, 14) in every grid."""
    return widened(video.read(OCCUPANCY, "class_counts"))


def widened(counts: NDArray[Any]) -> NDArray[Any]:
    """Return counts (N, 14), also of earlier releases (N, 13), in whose grids no voxel is occupied without a name."""
    return counts if counts.shape[1] == len(COUNTED_CLASSES) else np.insert(counts, SemanticClass.UNNAMED, 0, axis=1)


def has_embeddings(video: VideoStore) -> bool:
    """Tell whether the regions of a video can be compared with words; ``WITH_EMBEDDINGS`` says how to get there."""
    return video.has_group(SEMANTICS) and video.has_array(SEMANTICS, "region_embeddings")


def _lists(video: VideoStore, array: str) -> bool:
    """Tell by its list whether a reconstruction came with an array, so that one that was lost is not passed over."""
    listed = video.listed(RECONSTRUCTION) if video.has_group(RECONSTRUCTION) else None
    return any(name.startswith(f"{array}/") for name in listed or ())


def _clip_of_row(row: dict[str, Any]) -> Clip:
    arrays: dict[str, NDArray[Any]] = {
        "frame_index": np.array(row["frame_index"], np.int64),
        "time_s": np.array(row["time_s"], np.float64),
        "sharpness": np.array(row["sharpness"], np.float32),
    }
    known: dict[str, Any] = {field.name: row.get(field.name) for field in fields(Clip)}
    scores = ClipScores(**row["scores"]) if row.get("scores") else None
    *sides, whole = [*(row.get("box") or WHOLE[:4]), 0.0][:5]  # whole: not noted by earlier releases
    left, top, right, bottom = sides
    box = Box(left, top, right, bottom, whole=bool(whole))
    return Clip(**{**known, **arrays, "scores": scores, "box": box})
