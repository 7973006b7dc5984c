"""Stairs: treads that rise and lead on by the same step each time. The step is as high as stairs are built.

The boards of a shelf are level and evenly spaced, too, but lie above one another; seats and tables lead nowhere.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.contract.arrays import Float64s
from pipeline.geometry.planes import plane_offsets
from pipeline.stages.scene.heights import HORIZONTAL
from pipeline.stages.scene.surfaces import SurfaceSamples

THICKNESS, LEAST = 0.006, 0.0006
"""Thickness of a tread as a share of the height of all that is seen; share of all samples on it, at least."""

CELL = 0.02
"""Side of the cells in which samples of one height are one piece, as a share of the same."""

GOING = (0.8, 2.2)
"""Depth of a step over its height: 1.1 to 1.9 where people walk."""

FEWEST = 4
"""Treads that make a flight."""

ASTRAY = 0.2
"""By how much a tread may miss its place, in steps."""

LOWEST, HIGHEST = 0.02, 0.2
"""Height of a step as a share of the height of all that is seen."""


def find_riser(surfaces: SurfaceSamples, rotation: NDArray[np.float64]) -> float | None:
    """Return the height of a step of the longest flight of stairs, in the clip's unit; None where there is none.

    rotation: (3, 3), rows x, y and up.
    """
    points = surfaces.points @ rotation.T
    reach = float(np.ptp(np.quantile(points[:, 2], [0.002, 0.998])))
    treads = _treads(points, surfaces.normals @ rotation[2] > HORIZONTAL, reach)
    longest = max((_flight(treads, first, second) for first, second in _steps(treads, reach)), key=len, default=[])
    if len(longest) < FEWEST:
        return None
    heights = treads[longest, 2]
    return float(np.polyfit(np.arange(len(heights)), heights, 1)[0])


def _treads(points: Float64s, is_level: NDArray[np.bool_], reach: float) -> Float64s:
    """Return the middles (k, 3) of level pieces that may be treads."""
    level = points[is_level]
    if not len(level) or reach <= 0:
        return np.zeros((0, 3))
    fewest = LEAST * len(points)
    middles = [
        piece.mean(axis=0)
        for height in plane_offsets(level[:, 2], THICKNESS * reach, fewest / len(level))
        for piece in _pieces(level[np.abs(level[:, 2] - height) < THICKNESS * reach / 2], CELL * reach)
        if len(piece) >= fewest
    ]
    return np.array(middles).reshape(-1, 3)


def _pieces(points: Float64s, cell: float) -> list[Float64s]:
    """Return points (k, 3) of about one height in pieces that lie apart."""
    at = np.floor((points[:, :2] - points[:, :2].min(axis=0)) / cell).astype(np.int64)
    filled = np.zeros(at.max(axis=0) + 1, np.bool_)
    filled[at[:, 0], at[:, 1]] = True
    number, count = ndimage.label(filled, np.ones((3, 3)))
    of_point = number[at[:, 0], at[:, 1]]
    return [points[of_point == one] for one in range(1, count + 1)]


def _steps(treads: Float64s, reach: float) -> NDArray[np.int64]:
    """Return the pairs (p, 2) of treads (k, 3) of which the second may be the next one up."""
    step = treads - treads[:, None]
    rise, going = step[..., 2], np.hypot(step[..., 0], step[..., 1])
    steep = (going > GOING[0] * rise) & (going < GOING[1] * rise)
    return np.argwhere(steep & (rise > LOWEST * reach) & (rise < HIGHEST * reach))


def _flight(treads: Float64s, first: int, second: int) -> list[int]:
    """Return the treads of a flight that begins with two of them, and leads on by the same step."""
    found, step = [first, second], treads[second] - treads[first]
    rise, going = float(step[2]), float(np.hypot(step[0], step[1]))
    while (after := _next(treads, treads[found[-1]] + step, rise, going)) is not None and after not in found:
        found.append(after)
        step = (treads[found[-1]] - treads[first]) / (len(found) - 1)
    return found


def _next(treads: Float64s, place: Float64s, rise: float, going: float) -> int | None:
    """Return which tread lies at a place, by its height and roughly by where it is; None where none does."""
    off = np.abs(treads - place)
    near = np.flatnonzero((off[:, 2] < ASTRAY * rise) & (np.hypot(off[:, 0], off[:, 1]) < 0.5 * going))
    return int(near[np.argmin(off[near, 2])]) if len(near) else None
