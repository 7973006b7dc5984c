"""Clips as rows of ``clips.parquet``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.contract.records import Box, Clip

SCORES = pa.struct(
    [
        ("motion", pa.float64()),
        ("shake", pa.float64()),
        ("brightness", pa.float64()),
        ("clipped", pa.float64()),
        ("drawn", pa.float64()),
        ("overlay", pa.float64()),
        ("split", pa.float64()),
        ("repeats", pa.float64()),
    ]
)
CLIPS_SCHEMA = pa.schema(
    [
        ("clip_id", pa.int64()),
        ("start_frame", pa.int64()),
        ("end_frame", pa.int64()),
        ("frame_index", pa.list_(pa.int64())),
        ("time_s", pa.list_(pa.float64())),
        ("sharpness", pa.list_(pa.float64())),
        ("motion", pa.float64()),
        ("scores", SCORES),
        ("box", pa.list_(pa.float64())),
    ]
)
"""What every ``clips.parquet`` holds, whatever is known of its clips: a field of ``Clip`` each, in its order."""


def clips_table(clips: Sequence[Clip]) -> pa.Table:
    """Return a table with one row a clip, as the stage ``clips`` leaves it: no clip has an indoor score yet."""
    rows = [{key: _plain(value) for key, value in asdict(clip).items()} for clip in clips]
    return pa.Table.from_pylist(rows, CLIPS_SCHEMA)


def _plain(value: Any) -> Any:
    if isinstance(value, Box):
        return [float(side) for side in value]
    return value.tolist() if isinstance(value, np.ndarray) else value
