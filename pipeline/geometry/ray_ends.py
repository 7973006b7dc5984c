"""Compiled loops that spread the end of every ray over the voxels in which it may lie.

Units and layouts are those of ``traversal``. A depth z is known to a share ``deviation`` of itself: the surface that
ends its ray is normally distributed along it, with a standard deviation of ``deviation * z``, and cut off at three.
Imported only where voxels are filled, since it loads the compiler.
"""

from math import erf, floor, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.traversal import compiled, entry, lift, voxels_along

ENDED, PASSED, HIDDEN = 0, 1, 2
"""Places in the last axis of ``rays``: what ends in a voxel, what goes on beyond it, what has ended before it."""

WHOLE_RAY = 64
"""Parts of a ray. Sums are of integers, so the same in any order; 32 bits hold 67 million rays."""

REACH = 3.0
"""Standard deviations before and behind a depth between which its ray ends."""

_FINENESS = 1024


def _ended() -> NDArray[np.int64]:
    """Return the parts of a ray that have ended by 0, 1, .. ``_FINENESS`` parts of the segment on which it ends."""
    # Phi(s) between -REACH and REACH: (1 + erf(s / sqrt(2)) / erf(REACH / sqrt(2))) / 2, s = REACH (2 share - 1)
    sigmas = REACH * (2 * np.arange(_FINENESS + 1) / _FINENESS - 1)
    within = [erf(sigma / sqrt(2)) / erf(REACH / sqrt(2)) for sigma in sigmas]
    return np.floor(WHOLE_RAY * (1 + np.array(within)) / 2 + 0.5).astype(np.int64)


_ENDED = _ended()


@compiled
def spread_ends(
    depth: NDArray[np.float32],
    slots: NDArray[np.uint8],
    votes: NDArray[np.uint8],
    voxel_from_pixel: NDArray[np.float64],
    centre: NDArray[np.float64],
    deviation: float,
    counts: NDArray[np.uint64],
    rays: NDArray[np.uint32],
) -> None:
    """Share the ray of every pixel among the voxels in which it may end, by how likely it ends in each.

    depth, slots, votes, voxel_from_pixel, centre: as of ``count_points``. counts: (X, Y, Z, number of slots), votes
    times the parts of their rays that end in a voxel. rays: (X, Y, Z, 3), parts of rays. Both are added to in place.
    """
    size = (rays.shape[0], rays.shape[1], rays.shape[2])
    cells, leaves = np.empty((sum(size), 3), np.int64), np.empty(sum(size), np.float64)
    near, far = 1 - REACH * deviation, 1 + REACH * deviation
    for v in range(depth.shape[0]):
        for u in range(depth.shape[1]):
            if 0 < depth[v, u] < inf:
                start = lift(u, v, near * depth[v, u], voxel_from_pixel, centre)
                end = lift(u, v, far * depth[v, u], voxel_from_pixel, centre)
                before = ended_by(entry(start, end, size))
                count, _ = voxels_along(start, end, size, cells, leaves)
                for n in range(count):
                    i, j, k = cells[n]
                    after = ended_by(leaves[n])
                    counts[i, j, k, slots[v, u]] += (after - before) * votes[v, u]
                    rays[i, j, k, ENDED] += after - before
                    rays[i, j, k, PASSED] += WHOLE_RAY - after
                    rays[i, j, k, HIDDEN] += before
                    before = after


@compiled
def ended_by(share: float) -> int:
    """Return the parts of a ray that have ended by a share of the segment on which it ends."""
    return int(_ENDED[floor(min(max(share, 0.0), 1.0) * _FINENESS + 0.5)])
