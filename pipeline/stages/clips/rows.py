"""Clips as rows of ``clips.parquet``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.contract.records import Clip


def clips_table(clips: Sequence[Clip]) -> pa.Table:
    """Return a table with one row a clip, as the stage ``clips`` leaves it: no clip has an indoor score yet."""
    return pa.Table.from_pylist([{key: _plain(value) for key, value in asdict(clip).items()} for clip in clips])


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
