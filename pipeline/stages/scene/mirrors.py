"""Tells by the room itself whether a hole in its wall is a mirror: what lies behind is the room once more.

Points behind the wall are laid where they would be if the wall were a mirror. In a mirror that is where the room has
them: no camera looks through them, and many lie on what cameras see. Of another room behind a hatch most would float in
the room's air.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import Reconstruction
from pipeline.geometry.relocation import depth_over_surface
from pipeline.stages.scene.surfaces import SurfaceSamples

OFFSETS = (0.0, -1.0, -2.0, 1.0)
"""Where the glass may lie, in tolerances from the wall: mirrors hang before it."""

AGREES = 0.04
"""Share of its depth by which a point may differ from what a camera sees there, beside the wall's tolerance."""

HIDES_MAX = 0.08
"""Share of the points in view of a camera that may stand before what it sees; the others are what it sees.

Measured: 0 to 0.05 in mirrors, 0.16 to 1 about a wrong plane and through windows."""

FACING, LEVEL = 0.3, 0.5
"""Least cosine to a wall's normal of what faces it, and to up of what lies level, as it does in all rooms."""

FEWEST, IN_VIEW = 40, 200
"""Points that a mirror must show, and how often they must be in view of cameras, unhidden."""


@dataclass(frozen=True)
class UprightPlane:
    """An upright plane, in the reconstruction's frame and unit.

    axes: (3, 3), rows along the wall, up, and the normal away from the cameras. offset: of the plane along the normal.
    tolerance: distance within which a point is on it. corner: (2,), least position along and up. cell: side of a cell.
    shape: cells up and along.
    """

    axes: NDArray[np.float64]
    offset: float
    tolerance: float
    corner: NDArray[np.float64]
    cell: float
    shape: tuple[int, int]


class Repeated(NamedTuple):
    """Of mirrored points: how many are in view of a camera, and the share of those that hide what it sees."""

    in_view: int
    hiding: float

    @property
    def is_mirrored(self) -> bool:
        """Tell whether the points are of the room."""
        return self.in_view >= IN_VIEW and self.hiding <= HIDES_MAX


def repeats_the_room(
    wall: UprightPlane,
    hole: NDArray[np.bool_],
    surfaces: SurfaceSamples,
    measured: Reconstruction,
    behind: float,
    facing: float = FACING,
) -> bool:
    """Tell whether what is seen through a hole is the room before its wall; hole: cells (rows, columns).

    behind: how far behind the wall is what tells. facing: least cosine to the wall's normal of that. What runs across
    the wall and goes on behind it, as at the end of a row of cupboards, is where it was in a mirror, too.
    """
    points = _seen_through(wall, hole, surfaces, (behind, facing))
    if len(points) < FEWEST:
        return False
    return any(
        repeated(_mirrored(points, wall, wall.offset + step * wall.tolerance), measured, wall.tolerance).is_mirrored
        for step in OFFSETS
    )


def _seen_through(
    wall: UprightPlane, hole: NDArray[np.bool_], surfaces: SurfaceSamples, least: tuple[float, float]
) -> NDArray[np.float64]:
    """Return points (k, 3) of upright surfaces behind a hole in a wall; least: as of ``repeats_the_room``."""
    if surfaces.seen_from is None:
        return np.zeros((0, 3))
    across, up = np.abs(surfaces.normals @ wall.axes[2]), np.abs(surfaces.normals @ wall.axes[1])
    far = (surfaces.points @ wall.axes[2] - wall.offset > least[0]) & (across >= least[1]) & (up < LEVEL)
    far &= surfaces.seen_from @ wall.axes[2] < wall.offset
    ends, starts = surfaces.points[far] @ wall.axes.T, surfaces.seen_from[far] @ wall.axes.T
    share = (wall.offset - starts[:, 2:]) / (ends[:, 2:] - starts[:, 2:])
    met = starts[:, :2] + share * (ends - starts)[:, :2]
    column, row = np.floor((met - wall.corner) / wall.cell).astype(np.int64).T
    inside = (row >= 0) & (row < wall.shape[0]) & (column >= 0) & (column < wall.shape[1])
    inside[inside] = hole[row[inside], column[inside]]
    return np.asarray(surfaces.points[far][inside], np.float64)


def repeated(points: NDArray[np.float64], measured: Reconstruction, tolerance: float) -> Repeated:
    """Compare points (k, 3) with what every frame sees in their direction; what is hidden from it tells nothing."""
    alike = hiding = 0
    for frame in np.flatnonzero(measured.registered).tolist():
        ratio, pixels = depth_over_surface(points, measured, frame)
        seen = measured.depth[frame].ravel()[pixels].astype(np.float64)
        depth = seen * np.exp(ratio)  # nan where nothing is seen, which compares as neither
        before, allowed = np.where(depth > tolerance, seen - depth, np.nan), tolerance + AGREES * seen
        alike += int(np.count_nonzero(np.abs(before) <= allowed))
        hiding += int(np.count_nonzero(before > allowed))
    in_view = alike + hiding
    return Repeated(in_view, hiding / max(in_view, 1))


def _mirrored(points: NDArray[np.float64], wall: UprightPlane, offset: float) -> NDArray[np.float64]:
    return np.asarray(points - 2 * (points @ wall.axes[2] - offset)[:, None] * wall.axes[2])
