"""Windows and mirrors are holes to structure from motion; here they become part of their wall again.

What is seen through a pane is not room, and behind a mirror there is none. Where a wall's plane has a rectangular hole
behind which depth lies far, walled in on all sides and off the floor, depth becomes that of the plane; where some sides
are not seen, if what is behind it repeats the room (``mirrors``). A hole through which the camera goes, or behind which
it stands, is left open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pixel_rays
from pipeline.contract.records import Reconstruction
from pipeline.stages.scene.holes import WallHole, WallSeen, enclosed_holes, hemmed_holes
from pipeline.stages.scene.levelling import large_planes, plane_thickness
from pipeline.stages.scene.mirrors import FACING, UprightPlane, repeats_the_room
from pipeline.stages.scene.settings import PaneSettings, SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples

MOST_CELLS = 1_000_000
SHALLOW, MIRRORED = 3, 0.15
"""From how far behind a wall, in its tolerances, cells are of a mirror, in which a corner may show the wall beside it;
and what must lie how far behind, in median depths, to tell that it is the room."""

GRAZING = 0.1
"""Cosine to the wall's normal below which a ray runs along the wall, and does not tell where it meets it."""


@dataclass(frozen=True)
class WallView:
    """A wall in one frame, (h, w) each: its z-depth, how far measured depth lies behind it, and the cell it meets.

    ahead: where the ray meets the wall in one of its cells. measured: where there is depth. row, column: of the cell.
    """

    depth: NDArray[np.float64]
    behind: NDArray[np.float64]
    ahead: NDArray[np.bool_]
    measured: NDArray[np.bool_]
    row: NDArray[np.int64]
    column: NDArray[np.int64]


def with_panes(
    found: Reconstruction,
    measured: Reconstruction,
    surfaces: SurfaceSamples,
    rotation: NDArray[np.float64],
    settings: SceneSettings,
) -> tuple[Reconstruction, NDArray[np.bool_]]:
    """Return a reconstruction without holes for windows and mirrors, and the pixels (n, h, w) that were filled.

    found: without outliers. measured: with all depth there was, since what is seen through a window looks stray.
    rotation: (3, 3), rows x, y and up.
    """
    guessed = np.zeros(found.depth.shape, np.bool_)
    if not settings.panes.fill:
        return found, guessed
    depth = found.depth.astype(np.float64)
    unit = float(np.median(found.depth[found.depth > 0]))
    for wall in walls(surfaces, rotation, found, settings, unit):
        for opening in panes(wall, measured, surfaces, settings.panes, unit):
            for frame in np.flatnonzero(found.registered):
                view = wall_view(wall, measured, int(frame))
                inside = _in_hole(view, opening) & (view.behind > wall.tolerance)
                # behind one wall there may be another: the nearest holds
                inside &= ~guessed[frame] | (view.depth < depth[frame])
                depth[frame][inside], guessed[frame][inside] = view.depth[inside], True
    filled = replace(
        found,
        depth=depth.astype(np.float32),
        confidence=np.where(guessed, measured.confidence, found.confidence).astype(np.float32),
    )
    return (filled, guessed) if guessed.any() else (found, guessed)


def walls(
    surfaces: SurfaceSamples,
    rotation: NDArray[np.float64],
    found: Reconstruction,
    settings: SceneSettings,
    unit: float,
) -> list[UprightPlane]:
    """Return the large upright planes, those along x and y alike; unit: median depth."""
    centres = found.camera_to_world[found.registered, :3, 3].astype(np.float64)
    tolerance, cell = 2 * plane_thickness(surfaces, settings), settings.panes.cell_share * unit
    planes = [points for axis in rotation[:2] for points in large_planes(surfaces, axis, settings) if len(points) > 3]
    made = [wall_of(points, rotation[2], centres, tolerance, cell) for points in planes]
    return [wall for wall in made if np.prod(wall.shape) <= MOST_CELLS]


def wall_of(
    points: NDArray[np.float64],
    up: NDArray[np.float64],
    centres: NDArray[np.float64],
    tolerance: float,
    cell: float,
) -> UprightPlane:
    """Return the upright plane through points (k, 3), its normal away from most camera centres (n, 3); up: (3,)."""
    normal = np.linalg.eigh(np.cov(points.T))[1][:, 0]
    normal -= (normal @ up) * up
    normal /= np.linalg.norm(normal)
    offset = float(np.median(points @ normal))
    if np.median(centres @ normal) > offset:
        normal, offset = -normal, -offset
    axes = np.stack([np.cross(up, normal), up, normal])
    low, high = np.quantile(points @ axes[:2].T, [0.002, 0.998], axis=0)
    columns, rows = (int(count) for count in np.ceil((high - low) / cell).clip(1))
    return UprightPlane(axes, offset, tolerance, low, cell, (rows, columns))


def panes(
    wall: UprightPlane, measured: Reconstruction, surfaces: SurfaceSamples, settings: PaneSettings, unit: float
) -> Sequence[WallHole]:
    """Return the windows and mirrors of a wall; unit: median depth."""
    views = [wall_view(wall, measured, int(frame)) for frame in np.flatnonzero(measured.registered)]
    centres = measured.camera_to_world[measured.registered, :3, 3].astype(np.float64)
    far = max(settings.beyond_share * unit, 2 * wall.tolerance)
    found = enclosed_holes(_seen(wall, views, far), settings)
    behind = MIRRORED * unit
    for near in (SHALLOW * wall.tolerance, max(behind, 2 * wall.tolerance)):
        seen = _seen(wall, views, near)
        walled = [(hole, 0.0) for hole in enclosed_holes(seen, settings, in_corner=True)]
        for hole, facing in (*walled, *((hole, FACING) for hole in hemmed_holes(seen, settings))):
            if hole.is_apart(found) and repeats_the_room(wall, hole.cells, surfaces, measured, behind, facing):
                found.append(hole)
    return [opening for opening in found if not walked_through(wall, opening, centres)]


def _seen(wall: UprightPlane, views: Iterable[WallView], far: float) -> WallSeen:
    """Return how often rays ended where; far: how far behind the wall they leave it."""
    counts = [np.zeros(wall.shape, np.int64) for _ in range(3)]
    for view in views:
        near = view.measured & (np.abs(view.behind) < wall.tolerance)
        for count, chosen in zip(counts, (near, view.measured & (view.behind > far), ~view.measured), strict=True):
            there = chosen & view.ahead
            cells = view.row[there] * wall.shape[1] + view.column[there]
            np.add(count, np.bincount(cells, minlength=count.size).reshape(wall.shape), out=count)
    return WallSeen(*counts)


def _in_hole(view: WallView, hole: WallHole) -> NDArray[np.bool_]:
    return view.ahead & view.measured & hole.cells[view.row, view.column]


def wall_view(wall: UprightPlane, measured: Reconstruction, frame: int) -> WallView:
    """Return how a frame sees a wall; from behind it sees nothing of it."""
    depth = measured.depth[frame].astype(np.float64)
    pose = measured.camera_to_world[frame].astype(np.float64)
    rays = pixel_rays(measured.intrinsics[frame], (depth.shape[0], depth.shape[1])) @ pose[:3, :3].T
    along, up, towards = np.moveaxis(rays @ wall.axes.T, -1, 0)
    centre = wall.axes @ pose[:3, 3]
    ahead = towards > GRAZING * np.linalg.norm(rays, axis=-1)
    at = np.where(ahead, (wall.offset - centre[2]) / np.where(ahead, towards, 1.0), 0.0)
    column = np.floor((centre[0] + at * along - wall.corner[0]) / wall.cell)
    row = np.floor((centre[1] + at * up - wall.corner[1]) / wall.cell)
    ahead &= (at > 0) & (row >= 0) & (row < wall.shape[0]) & (column >= 0) & (column < wall.shape[1])
    cells = (np.where(ahead, index, 0).astype(np.int64) for index in (row, column))
    return WallView(at, (depth - at) * towards, ahead, (depth > 0) & np.isfinite(depth), *cells)


def walked_through(wall: UprightPlane, opening: WallHole, centres: NDArray[np.float64]) -> bool:
    """Tell whether the camera goes through an opening or stands behind it; centres: (n, 3), in order of time."""
    position = centres @ wall.axes.T - [*wall.corner, wall.offset]
    low, left, rows, columns = opening.rectangle
    start, stop = (left - 1) * wall.cell, (left + columns + 1) * wall.cell
    if ((position[:, 2] > 0) & (position[:, 0] > start) & (position[:, 0] < stop)).any():
        return True
    before, after = position[:-1], position[1:]
    crosses = (before[:, 2] > 0) != (after[:, 2] > 0)
    share = before[crosses, 2] / (before[crosses, 2] - after[crosses, 2])
    at = before[crosses] + share[:, None] * (after[crosses] - before[crosses])
    inside = (at[:, 0] > start) & (at[:, 0] < stop)
    inside &= (at[:, 1] > (low - 1) * wall.cell) & (at[:, 1] < (low + rows + 1) * wall.cell)
    return bool(inside.any())
