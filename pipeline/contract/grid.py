"""The voxel grid every part agrees on: 60 x 60 x 36 voxels of 8 cm, ``labels[x, y, z]``, z up.

``origin`` is the corner of voxel (0, 0, 0); ``floor((point - origin) / VOXEL_SIZE)`` maps a point to its
voxel, everywhere. Same extent and order as NYUv2's grids after Symphonies' reader.
"""

import numpy as np
from numpy.typing import NDArray

VOXEL_SIZE = 0.08
GRID_SHAPE = (60, 60, 36)
FLOOR_MARGIN = 0.05
"""Metres of grid below the floor, as in NYUv2."""


def voxel_index(points: NDArray[np.floating], origin: NDArray[np.floating]) -> NDArray[np.int64]:
    """Map points (..., 3) in metres to voxel indices (..., 3); indices may lie outside the grid."""
    return np.floor((np.asarray(points, np.float64) - origin) / VOXEL_SIZE).astype(np.int64)


def voxel_centres(origin: NDArray[np.floating], shape: tuple[int, int, int] = GRID_SHAPE) -> NDArray[np.float64]:
    """Return the centres (X, Y, Z, 3) in metres of a grid of ``shape`` voxels whose corner is ``origin``."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    return np.asarray(origin, np.float64) + (index + 0.5) * VOXEL_SIZE
