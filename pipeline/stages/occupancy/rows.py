"""Grids as rows of the group ``occupancy``."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import COUNTED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import Occupancy
from pipeline.store.group_writer import GroupWriter


def append_occupancy(group: GroupWriter, occupancy: Occupancy) -> NDArray[np.int32]:
    """Append the rows of one clip to the group ``occupancy``; returns its class counts (n, 14)."""
    counts = np.stack([(occupancy.labels == c).sum(axis=(1, 2, 3)) for c in COUNTED_CLASSES], axis=1).astype(np.int32)
    group.append("labels", occupancy.labels)
    group.append("origin", occupancy.origin)
    group.append("grid_from_world", occupancy.grid_from_world)
    group.append("class_counts", counts)
    group.append(
        "guessed", np.zeros(occupancy.labels.shape, np.bool_) if occupancy.guessed is None else occupancy.guessed
    )
    return counts


def blank_occupancy(n: int) -> Occupancy:
    """Return n grids in which all is unknown."""
    labels = np.full((n, *GRID_SHAPE), SemanticClass.UNKNOWN, np.uint8)
    return Occupancy(labels, np.zeros((n, 3), np.float32), np.zeros((n, 4, 4), np.float32))
