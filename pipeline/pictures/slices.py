"""Horizontal slices through a grid."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.classes import palette
from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, VOXEL_SIZE
from pipeline.pictures.layout import below, beside, caption, px, scale_bar

HEIGHTS = (0.0, 0.4, 1.0, 1.6)
"""Metres above the floor: the floor, seats, table tops and sills, doors and walls."""


def grid_slices(labels: NDArray[np.uint8], height: int = 120) -> Image.Image:
    """Return slices of ``labels`` (60, 60, 36) at four heights from above: x to the right, the camera looks up."""
    return beside(*(_slice(labels, metres, height) for metres in HEIGHTS))


def slices_scale(height: int = 120) -> Image.Image:
    """Return the bar of a metre for slices of a ``height``."""
    return scale_bar(px(height) / (GRID_SHAPE[1] * VOXEL_SIZE))


def _slice(labels: NDArray[np.uint8], metres: float, height: int) -> Image.Image:
    level = int((metres + FLOOR_MARGIN) / VOXEL_SIZE)
    from_above = labels[:, ::-1, level].T
    picture = Image.fromarray(palette()[from_above]).resize((px(height), px(height)), Image.Resampling.NEAREST)
    return below(caption(f"{metres:.1f} m", 12), picture)
