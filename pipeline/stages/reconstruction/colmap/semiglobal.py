"""Semi-global matching (Hirschmuller 2008) over a plane-sweep volume: the smoothest depth that still matches.

Costs are summed along eight paths to every pixel; neighbours on a path may differ by one step at a small price
(slanted surfaces) and by any number at a larger one (edges), lower where the picture has an edge.
"""

from typing import Any

import numba
import numpy as np

from pipeline.contract.arrays import Floats
from pipeline.stages.reconstruction.colmap.settings import SweepSettings


def aggregate(cost: Floats, grey: Floats, settings: SweepSettings) -> Floats:
    """Return the mean of cost (h, w, d) float32 along eight paths; ``grey`` (h, w) in [0, 1] tells edges."""
    total = np.zeros_like(cost)
    prices = (settings.slant_price, settings.edge_price, settings.edge_contrast)
    _four_paths(cost, grey, total, False, *prices)
    _four_paths(cost, grey, total, True, *prices)
    total /= np.float32(8)
    return total


@numba.njit(nogil=True, cache=True, fastmath=True)
def _four_paths(cost: Any, grey: Any, total: Any, backwards: Any, slant: Any, edge: Any, contrast: Any) -> None:
    """Add the paths from the pixel before and from the three pixels of the row before; backwards: from the end."""
    height, width, planes = cost.shape
    turn = -1 if backwards else 1
    paths = np.zeros((2, 4, width, planes), np.float32)
    lowest = np.zeros((2, 4, width), np.float32)
    for i in range(height):
        y = height - 1 - i if backwards else i
        now, before = i % 2, (i + 1) % 2
        for j in range(width):
            x = width - 1 - j if backwards else j
            for way in range(4):
                row = now if way == 3 else before
                column = x - turn if way == 3 else x + way - 1
                origin_y = y if way == 3 else y - turn
                if 0 <= column < width and 0 <= origin_y < height:
                    jump = max(edge / (1 + abs(grey[y, x] - grey[origin_y, column]) / contrast), slant)
                    lowest[now, way, x] = _extend(
                        cost[y, x], paths[row, way, column], lowest[row, way, column], slant, jump, paths[now, way, x]
                    )
                else:
                    paths[now, way, x] = cost[y, x]
                    lowest[now, way, x] = cost[y, x].min()
                total[y, x] += paths[now, way, x]


@numba.njit(nogil=True, cache=True, fastmath=True)
def _extend(cost: Any, origin: Any, origin_lowest: Any, slant: Any, jump: Any, path: Any) -> Any:
    """Write the cost of the path that goes on to this pixel, and return its lowest."""
    last = len(cost) - 1
    highest = origin_lowest + jump
    path[0] = min(origin[0], origin[1] + slant, highest)
    path[last] = min(origin[last], origin[last - 1] + slant, highest)
    for d in range(1, last):
        path[d] = min(origin[d], highest, min(origin[d - 1], origin[d + 1]) + slant)
    lowest = np.float32(np.inf)
    for d in range(last + 1):
        path[d] += cost[d] - origin_lowest
        lowest = min(lowest, path[d])
    return lowest


def pick(aggregated: Floats, inverse_depth: Floats) -> Floats:
    """Return the depth (h, w) float32 of the lowest cost, between planes by the parabola through its neighbours.

    0 where the lowest cost is that of the farthest or the nearest plane, which is no minimum: what matches nowhere, as
    a bare wall, or lies beyond the range, ends there in all views, which then agree on it.
    """
    winner = aggregated.argmin(axis=2)
    middle = np.clip(winner, 1, len(inverse_depth) - 2)
    before, at, after = (np.take_along_axis(aggregated, (middle + k)[..., None], 2)[..., 0] for k in (-1, 0, 1))
    curvature = np.maximum(before - 2 * at + after, 1e-6)
    offset = np.clip((before - after) / (2 * curvature), -0.5, 0.5)
    step = inverse_depth[1] - inverse_depth[0]
    return np.where(winner == middle, 1 / (inverse_depth[middle] + offset * step), 0).astype(np.float32)
