"""The rows of one video in the index."""

import numpy as np
import pyarrow as pa

from pipeline.contract.records import ScaleSource
from pipeline.dataset.filters import filtered
from pipeline.settings import FilterSettings
from pipeline.store.groups import FRAMES, OCCUPANCY, SCENE
from pipeline.store.index import CLASS_COLUMNS, INDEX_SCHEMA
from pipeline.store.video import VideoStore


def video_rows(video: VideoStore, split: str, fingerprint: str, filters: FilterSettings) -> pa.Table:
    """Return the index's rows of a finished video: its registered frames, but for the clips that filters leave out."""
    kept = ~np.isin(video.read(FRAMES, "clip_id"), list(filtered(video, filters)))
    rows = np.flatnonzero(video.read(SCENE, "registered") & kept)
    frames = {name: video.read(FRAMES, name)[rows] for name in ("clip_id", "frame_index", "time_s", "indoor_score")}
    scene = {name: video.read(SCENE, name)[rows] for name in ("depth_share", "up_confidence", "ceiling_height")}
    sources = [ScaleSource(code).name.lower() for code in video.read(SCENE, "scale_source")[rows].tolist()]
    counts = video.read(OCCUPANCY, "class_counts")[rows]
    columns = {
        "video_id": [video.video_id] * len(rows),
        "row": rows,
        **frames,
        **scene,
        "split": [split] * len(rows),
        "scale_source": sources,
        **dict(zip(CLASS_COLUMNS, counts.T, strict=True)),
        "fingerprint": [fingerprint] * len(rows),
    }
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in INDEX_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=INDEX_SCHEMA)
