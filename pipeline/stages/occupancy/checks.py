"""Checks of the stage ``occupancy``."""

import numpy as np

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.contract.grid import GRID_SHAPE
from pipeline.stages.base import Finding
from pipeline.store.groups import OCCUPANCY
from pipeline.store.rows import read_class_counts
from pipeline.store.video import VideoStore


def grid_shape(video: VideoStore) -> Finding:
    """Every grid has 60 x 60 x 36 voxels, each counted once."""
    shape = video.read(OCCUPANCY, "labels", slice(0, 1)).shape[1:]
    counts = read_class_counts(video)
    passed = shape == GRID_SHAPE and bool((counts.sum(axis=1) == np.prod(GRID_SHAPE)).all())
    shares = counts.sum(axis=0) / max(counts.sum(), 1)
    figures = {c.name.lower(): float(share) for c, share in zip(COUNTED_CLASSES, shares, strict=True)}
    return Finding(passed, f"{len(counts)} grids of shape {shape}", figures)
