"""Stairs: treads that rise and lead on by the same step each time. The step is as high as stairs are built.

The boards of a shelf are level and evenly spaced, too, but lie above one another; seats and tables lead nowhere.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Treads:
    """Middles (k, 3) of level pieces that face up: along x, y and up."""

    middles: Float64s

    def next(self, place: Float64s, rise: float, going: float) -> int | None:
        """Return which lies at a place, by its height and roughly by where it is; None where none does."""
        off = np.abs(self.middles - place)
        near = np.flatnonzero((off[:, 2] < ASTRAY * rise) & (np.hypot(off[:, 0], off[:, 1]) < 0.5 * going))
        return int(near[np.argmin(off[near, 2])]) if len(near) else None


def find_riser(surfaces: SurfaceSamples, rotation: NDArray[np.float64]) -> float | None:
    """Return the height of a step of the longest flight of stairs, in the clip's unit; None where there is none.

    rotation: (3, 3), rows x, y and up.
    """
    treads = _treads(surfaces, rotation)
    if treads is None:
        return None
    reach = float(np.ptp(np.quantile(surfaces.points @ rotation[2], [0.002, 0.998])))
    flights = (
        _flight(treads, first, second, reach)
        for first in range(len(treads.middles))
        for second in range(len(treads.middles))
    )
    longest = max(flights, key=len, default=[])
    if len(longest) < FEWEST:
        return None
    heights = treads.middles[longest, 2]
    return float(np.polyfit(np.arange(len(heights)), heights, 1)[0])


def _treads(surfaces: SurfaceSamples, rotation: NDArray[np.float64]) -> _Treads | None:
    """Return the level pieces that may be treads; None where there are none."""
    points = surfaces.points @ rotation.T
    reach = float(np.ptp(np.quantile(points[:, 2], [0.002, 0.998])))
    level = points[surfaces.normals @ rotation[2] > HORIZONTAL]
    if not len(level) or reach <= 0:
        return None
    fewest = LEAST * len(points)
    middles = [
        piece.mean(axis=0)
        for height in plane_offsets(level[:, 2], THICKNESS * reach, fewest / len(level))
        for piece in _pieces(level[np.abs(level[:, 2] - height) < THICKNESS * reach / 2], CELL * reach)
        if len(piece) >= fewest
    ]
    return _Treads(np.array(middles)) if middles else None


def _pieces(points: Float64s, cell: float) -> list[Float64s]:
    """Return points (k, 3) of about one height in pieces that lie apart."""
    at = np.floor((points[:, :2] - points[:, :2].min(axis=0)) / cell).astype(np.int64)
    filled = np.zeros(at.max(axis=0) + 1, np.bool_)
    filled[at[:, 0], at[:, 1]] = True
    number, count = ndimage.label(filled, np.ones((3, 3)))
    of_point = number[at[:, 0], at[:, 1]]
    return [points[of_point == one] for one in range(1, count + 1)]


def _flight(treads: _Treads, first: int, second: int, reach: float) -> list[int]:
    """Return the treads of a flight that begins with two of them; none where those are no step."""
    step = treads.middles[second] - treads.middles[first]
    rise, going = float(step[2]), float(np.hypot(step[0], step[1]))
    if not (LOWEST * reach < rise < HIGHEST * reach and GOING[0] * rise < going < GOING[1] * rise):
        return []
    found = [first, second]
    while (after := treads.next(treads.middles[found[-1]] + step, rise, going)) is not None and after not in found:
        found.append(after)
        step = (treads.middles[found[-1]] - treads.middles[first]) / (len(found) - 1)
    return found
