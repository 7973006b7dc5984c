"""Walls of a metric scene: vertical planes along x and y that rise to the ceiling or close the view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.planes import plane_offsets
from pipeline.stages.semantics.settings import StructureSettings

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
            on_plane = aligned[plane.holds(aligned, settings.slab_m / 2)]
            walls += wall_parts(plane, on_plane, points, height, settings)
    return walls


def wall_parts(
    plane: Wall,
    on_plane: NDArray[np.floating],
    points: NDArray[np.floating],
    height: float,
    settings: StructureSettings,
) -> list[Wall]:
    """Return the parts of a plane that are walls.

    on_plane: (k, 3), aligned points of the plane; points: (m, 3), all flat points. A column of the plane is wall where
    it rises to ``wall_top_share`` of the height, and so is a run of columns that rise to ``wall_top_min_m`` and behind
    which hardly anything is seen.
    """
    side, z = on_plane[:, 1 - plane.axis], on_plane[:, 2]
    if plane_area(side, z) < settings.wall_area_min_m2:
        return []
    low, high = float(side.min()), float(side.max())
    across = points[(points[:, 1 - plane.axis] >= low) & (points[:, 1 - plane.axis] <= high)]
    behind = across[(across[:, plane.axis] - plane.offset) * plane.facing < -settings.slab_m]
    size = int((high - low) / CELL_M) + 1
    top, seen = np.zeros(size), np.bincount(columns(side, low), minlength=size)
    np.maximum.at(top, columns(side, low), z)
    seen_behind = np.bincount(columns(behind[:, 1 - plane.axis], low), minlength=size)
    is_wall = top > settings.wall_top_share * height
    gap = round(settings.wall_gap_max_m / CELL_M)
    for first, end in runs(top > settings.wall_top_min_m, gap):
        is_wall[first:end] |= seen_behind[first:end].sum() <= settings.seen_behind_max * seen[first:end].sum()
    return [
        Wall(plane.axis, plane.offset, plane.facing, low + first * CELL_M, low + end * CELL_M)
        for first, end in runs(is_wall, gap)
    ]


def columns(side: NDArray[np.floating], low: float) -> NDArray[np.int64]:
    """Return the column, counted from ``low`` metres, of every position along a plane."""
    column: NDArray[np.int64] = ((side - low) / CELL_M).astype(np.int64)
    return column


def runs(flags: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """Return start and end (exclusive) of the runs of true flags (m,), runs at most ``gap`` apart taken together."""
    places = np.flatnonzero(flags)
    breaks = np.flatnonzero(np.diff(places) > gap + 1) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(places, breaks) if len(part) > 1]


def plane_area(side: NDArray[np.floating], z: NDArray[np.floating]) -> float:
    """Return the area in square metres of the cells that points of a vertical plane fill."""
    cells = np.floor(np.stack([side, z], axis=-1) / CELL_M).astype(np.int64)
    return len(np.unique(cells, axis=0)) * CELL_M**2
