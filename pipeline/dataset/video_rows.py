"""The rows of one video in the index."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract.errors import ChangedSinceIndexed
from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.dataset.filters import filtered
from pipeline.settings import FilterSettings
from pipeline.stages.chain import finished, identities_of_groups, identity_of
from pipeline.store.groups import FRAMES, PROBABILITY_RIGHT, SCALE_SIGMA, SCENE, WORLD_ID
from pipeline.store.index import CLASS_COLUMNS, INDEX_SCHEMA
from pipeline.store.indexed import as_indexed
from pipeline.store.rows import (
    read_class_counts,
    read_later,
    read_probability_right,
    read_scale_cues,
    read_world_id,
)
from pipeline.store.video import VideoStore


def video_rows(video: VideoStore, split: str, fingerprint: str, filters: FilterSettings) -> pa.Table:
    """Return the index's rows of a finished video: its registered frames, but for the clips that filters leave out.

    Raises:
        ChangedSinceIndexed: a stage of it is run again meanwhile.
        CorruptStore: a group does not read back.
        NotReadableNow: the file system cannot give it at the moment.
    """
    before = finished(video)
    try:
        columns = _columns(video, filters)
    except (ValueError, IndexError):  # arrays of two different runs have different lengths
        columns = {}
    made = finished(video)
    if before is None or made != before or not columns or not fingerprint.startswith(identity_of(made)):
        raise ChangedSinceIndexed(f"{video.video_id}: its stages are being run again: build the dataset after that")
    rows = len(columns["row"])
    noted = {"fingerprint": fingerprint, "split": split, "made": as_indexed(identities_of_groups(made))}
    columns |= {name: [value] * rows for name, value in noted.items()}
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in INDEX_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=INDEX_SCHEMA)


def _columns(video: VideoStore, filters: FilterSettings) -> dict[str, Any]:
    kept = ~np.isin(video.read(FRAMES, "clip_id"), list(filtered(video, filters)))
    rows = np.flatnonzero(video.read(SCENE, "registered") & kept)
    frames = {name: video.read(FRAMES, name)[rows] for name in ("clip_id", "frame_index", "time_s", "indoor_score")}
    scene = {name: video.read(SCENE, name)[rows] for name in ("depth_share", "up_confidence", "ceiling_height")}
    probability = read_probability_right(video, rows)
    sources = [ScaleSource(code).name.lower() for code in video.read(SCENE, "scale_source")[rows].tolist()]
    counts = read_class_counts(video)[rows]
    return {
        "video_id": [video.video_id] * len(rows),
        "row": rows,
        **frames,
        **scene,
        "scale_source": sources,
        **{name: pa.array(read_later(video, name, rows), from_pandas=True) for name in ("camera_height", SCALE_SIGMA)},
        "scale_cues": [ScaleCue(code).names() or None for code in read_scale_cues(video, rows).tolist()],
        WORLD_ID: worlds_that_are_here(frames["clip_id"], read_world_id(video, rows)),
        PROBABILITY_RIGHT: pa.array(probability, from_pandas=True),
        **dict(zip(CLASS_COLUMNS, counts.T, strict=True)),
    }


def worlds_that_are_here(clip_id: NDArray[np.integer], world_id: NDArray[np.integer]) -> list[int | None]:
    """Return the world of each row (n,), None where it is not known, by the first of its clips that has a row.

    The store names a world by its first clip, which filters may have left out.
    """
    first: dict[int, int] = {}
    for clip, world in zip(clip_id.tolist(), world_id.tolist(), strict=True):
        first[world] = min(clip, first.get(world, clip))
    return [None if world < 0 else first[world] for world in world_id.tolist()]
