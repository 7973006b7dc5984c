"""Walls of a metric scene: vertical planes along x and y that rise to the ceiling or close the view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.planes import plane_offsets
from pipeline.semantics.settings import StructureSettings

SMALLEST_PLANE = 0.005
"""Share of the points that face one way which a plane has at least."""
CELL_M = 0.1
"""Side of the cells by which the area of a plane is measured."""


@dataclass(frozen=True)
class Wall:
    """The part ``low <= side <= high`` of a plane ``axis = offset`` (0 x, 1 y; side is the other; metres).

    facing: -1 or 1, the direction along the axis in which its seen side looks.
    """

    axis: int
    offset: float
    facing: int
    low: float
    high: float

    def holds(self, points: NDArray[np.floating], slab: float) -> NDArray[np.bool_]:
        """Return which points (..., 3) lie within ``slab`` metres of the wall."""
        side = points[..., 1 - self.axis]
        near = np.abs(points[..., self.axis] - self.offset) < slab
        return np.asarray(near & (side > self.low - slab) & (side < self.high + slab), np.bool_)

    def faces(self, normals: NDArray[np.floating], tilt_max_deg: float) -> NDArray[np.bool_]:
        """Return which unit normals (..., 3) look the way the wall does."""
        return np.asarray(normals[..., self.axis] * self.facing > np.cos(np.radians(tilt_max_deg)), np.bool_)


def find_walls(
    points: NDArray[np.floating], normals: NDArray[np.floating], height: float, settings: StructureSettings
) -> list[Wall]:
    """Find the walls of a room ``height`` metres high from points on flat surfaces (m, 3) and their normals (m, 3)."""
    walls = []
    for axis, facing in ((0, -1), (0, 1), (1, -1), (1, 1)):
        everywhere = Wall(axis, 0.0, facing, -np.inf, np.inf)
        aligned = points[everywhere.faces(normals, settings.tilt_max_deg)]
        for offset in plane_offsets(aligned[:, axis], settings.slab_m, SMALLEST_PLANE):
            plane = Wall(axis, offset, facing, -np.inf, np.inf)
            part = wall_part(plane, aligned[plane.holds(aligned, settings.slab_m / 2)], points, height, settings)
            if part is not None:
                walls.append(part)
    return walls


def wall_part(
    plane: Wall,
    on_plane: NDArray[np.floating],
    points: NDArray[np.floating],
    height: float,
    settings: StructureSettings,
) -> Wall | None:
    """Return the part of a plane that is a wall, or None.

    on_plane: (k, 3), aligned points of the plane; points: (m, 3), all flat points. Columns of the plane that rise to
    ``wall_top_share`` of the height are wall, and what lies between them. A plane whose top is not seen is a wall
    where hardly anything is seen behind it.
    """
    side, z = on_plane[:, 1 - plane.axis], on_plane[:, 2]
    if plane_area(side, z) < settings.wall_area_min_m2:
        return None
    tall = side[z > settings.wall_top_share * height]
    if plane_area(tall, np.zeros_like(tall)) >= 3 * CELL_M**2:
        return Wall(plane.axis, plane.offset, plane.facing, *(float(q) for q in np.quantile(tall, [0.01, 0.99])))
    low, high = (float(q) for q in np.quantile(side, [0.02, 0.98]))
    whole = Wall(plane.axis, plane.offset, plane.facing, low, high)
    across = points[(points[:, 1 - plane.axis] > low) & (points[:, 1 - plane.axis] < high)]
    behind = (across[:, plane.axis] - plane.offset) * plane.facing < -settings.slab_m
    closes_view = behind.mean() < settings.seen_behind_max and np.quantile(z, 0.98) > settings.wall_top_min_m
    return whole if closes_view else None


def plane_area(side: NDArray[np.floating], z: NDArray[np.floating]) -> float:
    """Return the area in square metres of the cells that points of a vertical plane fill."""
    cells = np.floor(np.stack([side, z], axis=-1) / CELL_M).astype(np.int64)
    return len(np.unique(cells, axis=0)) * CELL_M**2
