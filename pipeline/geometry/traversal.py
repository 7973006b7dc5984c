"""Compiled loops over pixels: count labelled points per voxel, and the rays that cross each.

Imported only where voxels are filled, since it loads the compiler. Everything here is in voxel units: the
voxel of a position is its floor, and the grid spans ``[0, X) x [0, Y) x [0, Z)``.
"""

from collections.abc import Callable
from math import floor, inf
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Triple = tuple[float, float, float]


def compiled(function: Function) -> Function:
    """Compile for one core and keep the machine code on disk; exact IEEE arithmetic, so that results repeat."""
    return cast("Function", numba.njit(cache=True)(function))


@compiled
def count_points(
    depth: NDArray[np.float32],
    slots: NDArray[np.uint8],
    votes: NDArray[np.uint8],
    voxel_from_pixel: NDArray[np.float64],
    centre: NDArray[np.float64],
    counts: NDArray[np.uint32],
) -> None:
    """Add every pixel of one depth map to the histogram of the voxel it falls into.

    depth: (h, w), 0 = no value. slots: (h, w), index of the pixel's label in the last axis of ``counts``.
    votes: (h, w), what the pixel counts; 32 bits hold 16 million points of 255 votes in one voxel.
    voxel_from_pixel: (3, 3), centre: (3,); ``depth * voxel_from_pixel @ (u + .5, v + .5, 1) + centre`` is a pixel's
    position in voxels.
    counts: (X, Y, Z, number of slots), added to in place.
    """
    for v in range(depth.shape[0]):
        for u in range(depth.shape[1]):
            if 0 < depth[v, u] < inf:
                x, y, z = lift(u, v, depth[v, u], voxel_from_pixel, centre)
                if 0 <= x < counts.shape[0] and 0 <= y < counts.shape[1] and 0 <= z < counts.shape[2]:
                    counts[int(x), int(y), int(z), slots[v, u]] += votes[v, u]


@compiled
def count_columns(
    depth: NDArray[np.float32],
    voxel_from_pixel: NDArray[np.float64],
    centre: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """Add every pixel of one depth map to its column of voxels. As ``count_points``; counts: (X, Y)."""
    for v in range(depth.shape[0]):
        for u in range(depth.shape[1]):
            if 0 < depth[v, u] < inf:
                x, y, _ = lift(u, v, depth[v, u], voxel_from_pixel, centre)
                if 0 <= x < counts.shape[0] and 0 <= y < counts.shape[1]:
                    counts[int(x), int(y)] += 1


@compiled
def count_rays(
    depth: NDArray[np.float32],
    stride: int,
    weight: int,
    voxel_from_pixel: NDArray[np.float64],
    centre: NDArray[np.float64],
    crossed: NDArray[np.uint32],
) -> None:
    """Add ``weight`` to the voxels between the camera and the surface, for every ``stride``-th pixel of such rows.

    The voxel that holds the surface is not counted. Arguments as in ``count_points``; crossed: (X, Y, Z), added to in
    place.
    """
    start = (centre[0], centre[1], centre[2])
    longest = crossed.shape[0] + crossed.shape[1] + crossed.shape[2]
    cells, leaves = np.empty((longest, 3), np.int64), np.empty(longest, np.float64)
    for v in range(stride // 2, depth.shape[0], stride):
        for u in range(stride // 2, depth.shape[1], stride):
            if 0 < depth[v, u] < inf:
                end = lift(u, v, depth[v, u], voxel_from_pixel, centre)
                count, is_ended = voxels_along(start, end, crossed.shape, cells, leaves)
                for n in range(count - is_ended):
                    crossed[cells[n, 0], cells[n, 1], cells[n, 2]] += weight


@compiled
def lift(u: int, v: int, depth: float, voxel_from_pixel: NDArray[np.float64], centre: NDArray[np.float64]) -> Triple:
    """Return the voxel position of the pixel in column u, row v at a depth."""
    x, y, m = u + 0.5, v + 0.5, voxel_from_pixel
    return (
        depth * (m[0, 0] * x + m[0, 1] * y + m[0, 2]) + centre[0],
        depth * (m[1, 0] * x + m[1, 1] * y + m[1, 2]) + centre[1],
        depth * (m[2, 0] * x + m[2, 1] * y + m[2, 2]) + centre[2],
    )


@compiled
def voxels_along(
    start: Triple, end: Triple, size: tuple[int, int, int], cells: NDArray[np.int64], leaves: NDArray[np.float64]
) -> tuple[int, bool]:
    """Find the voxels of a grid that a segment crosses, to that of its end (Amanatides and Woo 1987).

    cells: (m, 3), leaves: (m,), written to: the voxels, and the share of the segment at which it leaves each; ``m`` is
    the sum of ``size``. Returns how many there are, and whether the segment ends in the last.
    """
    size_x, size_y, size_z = size
    enter, count = entry(start, end, (size_x, size_y, size_z)), 0
    if enter >= 1:
        return 0, False
    i = entry_cell(start[0], end[0], enter, size_x)
    j = entry_cell(start[1], end[1], enter, size_y)
    k = entry_cell(start[2], end[2], enter, size_z)
    step_i, next_i, pace_i = stride_along(start[0], end[0], i)
    step_j, next_j, pace_j = stride_along(start[1], end[1], j)
    step_k, next_k, pace_k = stride_along(start[2], end[2], k)
    steps = abs(floor(end[0]) - i) + abs(floor(end[1]) - j) + abs(floor(end[2]) - k)
    while steps >= 0 and 0 <= i < size_x and 0 <= j < size_y and 0 <= k < size_z:
        cells[count, 0], cells[count, 1], cells[count, 2] = i, j, k
        leaves[count] = min(next_i, next_j, next_k)
        if next_i <= next_j and next_i <= next_k:
            i, next_i = i + step_i, next_i + pace_i
        elif next_j <= next_k:
            j, next_j = j + step_j, next_j + pace_j
        else:
            k, next_k = k + step_k, next_k + pace_k
        count, steps = count + 1, steps - 1
    return count, steps < 0


@compiled
def entry(start: Triple, end: Triple, size: Triple) -> float:
    """Return the share of the segment that lies before the grid, or infinity where it misses the grid."""
    enter, leave = 0.0, 1.0
    for axis in range(3):
        low, high = -start[axis], size[axis] - start[axis]
        run = end[axis] - start[axis]
        if run == 0:
            if low > 0 or high <= 0:
                return inf
        else:
            enter = max(enter, min(low / run, high / run))
            leave = min(leave, max(low / run, high / run))
    return enter if enter < leave else inf


@compiled
def entry_cell(start: float, end: float, enter: float, size: int) -> int:
    """Return the index, along one axis, of the voxel where the segment is first inside the grid."""
    if enter == 0:
        return floor(start)
    return min(max(floor(start + enter * (end - start)), 0), size - 1)


@compiled
def stride_along(start: float, end: float, cell: int) -> tuple[int, float, float]:
    """Return the step (-1 or 1), the share of the segment at the next voxel border, and the share per voxel."""
    run = end - start
    if run > 0:
        return 1, (cell + 1 - start) / run, 1 / run
    if run < 0:
        return -1, (cell - start) / run, -1 / run
    return 0, inf, inf
