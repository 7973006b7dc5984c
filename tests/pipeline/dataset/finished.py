"""Finished videos of which nothing was ever filmed, and the index that is made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.bench.made_up import finish_made_up
from pipeline.contract.records import LeftOut
from pipeline.contract.scale import ScaleSource
from pipeline.settings import DatasetSettings
from pipeline.store.index import CLASS_COLUMNS
from pipeline.store.store import Store

HALF = DatasetSettings(validation_share=0.5)


def finish(store: Store, video_id: str, fingerprint: str = "f0", frames: int = 4, **scene: NDArray[Any]) -> None:
    """Write the groups of a finished video whose second frame lost its camera. scene: more arrays of that group."""
    with store.video(video_id).locked():
        _finish(store, video_id, fingerprint, frames, scene)


def _finish(store: Store, video_id: str, fingerprint: str, frames: int, scene: dict[str, NDArray[Any]]) -> None:
    left_out = (LeftOut("occupancy", 7, "TooFewRegistered", "2 of 9 frames"),)
    registered, half = np.arange(frames) != 1, np.full(frames, 0.5, np.float32)
    counts = np.zeros((frames, len(CLASS_COLUMNS)), np.int32)
    counts[:, 3] = 10 * registered
    arrays: dict[str, dict[str, NDArray[Any]]] = {
        "frames": {
            "clip_id": np.arange(frames, dtype=np.int32) // 2,
            "frame_index": np.arange(frames) * 5,
            "time_s": np.arange(frames) * 0.2,
            "indoor_score": np.ones(frames, np.float32),
        },
        "scene": {
            "registered": registered,
            "scale_source": np.full(frames, ScaleSource.FLOOR_TO_CEILING, np.uint8),
            **dict.fromkeys(("depth_share", "up_confidence", "ceiling_height"), half),
            **scene,
        },
        "occupancy": {"class_counts": counts},
    }
    finish_made_up(store.video(video_id), fingerprint, arrays, left_out)


def index_of(folder: Path) -> list[dict]:
    return pq.read_table(folder / "dataset" / "index.parquet").to_pylist()
