"""Doorways and windows in a clip's walls: their heads and sills are as high as people build them.

Each large wall is looked at squarely, as a picture of cells: by how much what is seen there lies behind it. A head is
where a run of columns is open below and wall above, with wall on both sides. The top of a wardrobe is wall below and
open above; below a row of wall cabinets there is no wall at the sides; a picture lies before its wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import resize_nearest, similarity_scale, transformed
from pipeline.stages.scene.mirrors import UprightPlane
from pipeline.stages.scene.panes import wall_view, walls
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples

FINE = 4
"""Rows and columns of fine cells in a cell: heads are found in cells, and measured in fine ones."""

BEFORE, ON_WALL, BEHIND = 0.1, 0.5, 0.6
"""What is no farther before a wall, in median depths, hangs on it (curtains, the leaf of a door); what is no farther
behind it, in its tolerances, is the wall; and what is that far behind it is a hole."""

RIM, GAP, JAMB = 3, 1, 8
"""Cells of wall that must be seen about an opening; cells between that may show anything; cells of its sides."""

SEEN, STRAY, HEAD = 0.6, 0.15, 0.5
"""Share of a rim that must be wall, and that may be open; share of its columns that must have wall above."""

MARGIN = 6
"""Cells that are looked at beyond the ends of a wall: the side of a doorway in a corner is narrow."""

MOST_FRAMES, WIDEST = 12, 160
"""Frames of a clip and columns of their depth that walls are looked at in."""

NARROWEST, CLEAR = 8, 0.8
"""Least columns and rows of an opening; share of its rows below the head that must be open."""

Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class OpeningSeen:
    """An opening in a wall, lengths in the clip's unit. head, foot: heights about the median camera, up is positive.

    foot: of the lowest of it that is open. width: between its sides. sill: whether wall is seen below its foot.
    through: whether one sees another room through it, and no recess.
    """

    head: float
    foot: float
    width: float
    sill: bool
    through: bool


@dataclass(frozen=True)
class PlacedOpening:
    """An opening where it lies, in the frame and unit of a reconstruction.

    head, foot: (3,), middle of its upper edge, and of the lowest of it that is open. width, sill, through: as of
    ``OpeningSeen``.
    """

    head: Float64s
    foot: Float64s
    width: float
    sill: bool
    through: bool

    def moved(self, similarity: Float64s) -> "PlacedOpening":
        """Return it in another frame and unit. similarity: (4, 4), from its frame to that."""
        head, foot = transformed(np.stack([self.head, self.foot]), similarity)
        return replace(self, head=head, foot=foot, width=self.width * similarity_scale(similarity))

    def seen(self, up: Float64s, middle: float) -> OpeningSeen:
        """Return how high it is. up: (3,). middle: height of the median camera along up."""
        head, foot = float(self.head @ up) - middle, float(self.foot @ up) - middle
        return OpeningSeen(head, foot, self.width, self.sill, self.through)


@dataclass(frozen=True)
class _Wall:
    """A wall in fine cells (rows, columns), rows upwards: rays that met them, and how far behind they ended, in all.

    far: how far behind a wall another room begins, to which distances are clipped. before: that far before it, things
    do not hang on it.
    """

    plane: UprightPlane
    rays: Float64s
    behind: Float64s
    far: float
    before: float

    def coarse(self) -> tuple[Cells, Cells, Float64s]:
        """Return which cells are wall, which are open, and how far behind the wall they end."""
        rays, total = _pooled(self.rays), _pooled(self.behind)
        behind, tolerance = total / np.maximum(rays, 1), self.plane.tolerance
        wall = (rays >= 1) & (behind > -self.before) & (behind <= ON_WALL * tolerance)
        return wall, (rays >= 2) & (behind > BEHIND * tolerance), behind


def find_openings(
    measured: Reconstruction, surfaces: SurfaceSamples, rotation: Float64s, settings: SceneSettings
) -> tuple[PlacedOpening, ...]:
    """Return the openings of a clip's large walls.

    measured: with all depth. rotation: (3, 3), rows x, y and up.
    """
    measured = _thinned(measured)
    unit = float(np.median(measured.depth[measured.depth > 0]))
    found: list[PlacedOpening] = []
    for plane in walls(surfaces, rotation, measured, settings, unit):
        found += _openings(_looked_at(plane, measured, settings.panes.beyond_share * unit, BEFORE * unit))
    return tuple(found)


def _thinned(measured: Reconstruction) -> Reconstruction:
    """Return some frames of a reconstruction, evenly spread, with depth of at most ``WIDEST`` columns."""
    frames = np.flatnonzero(measured.registered)
    frames = frames[np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).round().astype(np.int64)]
    rows, columns = measured.depth.shape[1:]
    shape = rows * min(WIDEST, columns) // columns, min(WIDEST, columns)
    return Reconstruction(
        intrinsics=measured.intrinsics[frames],
        camera_to_world=measured.camera_to_world[frames],
        depth=resize_nearest(measured.depth[frames], shape),
        confidence=resize_nearest(measured.confidence[frames], shape),
        registered=measured.registered[frames],
    )


def _looked_at(plane: UprightPlane, measured: Reconstruction, far: float, before: float) -> _Wall:
    rows, columns = plane.shape[0], plane.shape[1] + 2 * MARGIN
    corner = plane.corner - [MARGIN * plane.cell, 0.0]
    fine = replace(plane, corner=corner, cell=plane.cell / FINE, shape=(rows * FINE, columns * FINE))
    rays, total = np.zeros((2, rows * FINE * columns * FINE))
    for frame in np.flatnonzero(measured.registered):
        view = wall_view(fine, measured, int(frame))
        seen = view.ahead & view.measured
        cells, behind = (view.row * fine.shape[1] + view.column)[seen], np.clip(view.behind[seen], -far, far)
        rays += np.bincount(cells, minlength=len(rays))
        total += np.bincount(cells, behind, minlength=len(rays))
    return _Wall(fine, rays.reshape(fine.shape), total.reshape(fine.shape), far, before)


def _pooled(values: Float64s) -> Float64s:
    rows, columns = values.shape
    return np.asarray(values.reshape(rows // FINE, FINE, columns // FINE, FINE).sum(axis=(1, 3)))


def _openings(wall: _Wall) -> Iterator[PlacedOpening]:
    """Yield the openings of a wall."""
    solid, hole, behind = wall.coarse()
    for head, left, right in _heads(hole):
        columns = slice(left, right)
        under = left + np.flatnonzero(solid[head + GAP : head + GAP + RIM, columns].mean(axis=0) > SEEN)
        foot = _lowest(hole[:head, columns], solid[:head, columns])
        sides = [_is_side(solid, hole, head, side) for side in (left - GAP - RIM, right + GAP)]
        if foot is None or len(under) < HEAD * (right - left) or not all(sides):
            continue
        inside = hole[foot:head, columns]
        deep, below = float(np.median(behind[foot:head, columns][inside])), slice(max(foot - RIM - GAP, 0), foot)
        sill = bool((solid[below, columns].mean(axis=1) > SEEN).any())
        end = _edge(wall, foot, np.arange(left, right), deep, up=False) if sill else foot * FINE
        yield PlacedOpening(
            head=_at(wall.plane, _edge(wall, head, under, deep), (left + right) / 2 * FINE),
            foot=_at(wall.plane, end, (left + right) / 2 * FINE),
            width=(right - left) * FINE * wall.plane.cell,
            sill=sill,
            through=deep > wall.far / 2,
        )


def _at(plane: UprightPlane, row: float, column: float) -> Float64s:
    """Return the point (3,) of a wall at the edge of a fine row and column."""
    along, height = plane.corner + plane.cell * np.array([column, row])
    return np.asarray(np.array([along, height, plane.offset]) @ plane.axes)


def _lowest(hole: Cells, solid: Cells) -> int | None:
    """Return the lowest row that is open, going down from the head until there is wall; None where little is open."""
    is_open, blocked = hole.mean(axis=1) > SEEN, np.flatnonzero(solid.mean(axis=1) > SEEN)
    start = int(blocked[-1]) + 1 if len(blocked) else 0
    rows = start + np.flatnonzero(is_open[start:])
    if len(rows) < NARROWEST or is_open[rows[0] :].mean() < CLEAR:
        return None
    return int(rows[0])


def _heads(hole: Cells) -> Iterator[tuple[int, int, int]]:
    """Yield (row, first column, end column) of where holes end upwards: the row above, and how wide they are there."""
    cut = cv2.morphologyEx(np.pad(hole.astype(np.uint8), RIM), cv2.MORPH_OPEN, np.ones((RIM, RIM), np.uint8))
    count, numbers = cv2.connectedComponents(np.ascontiguousarray(cut[RIM:-RIM, RIM:-RIM]), connectivity=4)
    for number in range(1, count):
        inside = numbers == number
        widths = inside.sum(axis=1)
        head = int(np.flatnonzero(widths > SEEN * np.quantile(widths[widths > 0], 0.8))[-1]) + 1
        across = np.flatnonzero(inside[max(head - JAMB, 0) : head].mean(axis=0) > 0.5)
        if len(across) < NARROWEST:
            continue
        left, right = int(across[0]), int(across[-1]) + 1
        if head + GAP + RIM <= len(hole) and len(across) > CLEAR * (right - left):
            yield head, left, right


def _is_side(solid: Cells, hole: Cells, head: int, left: int) -> bool:
    """Tell whether ``RIM`` columns from ``left`` on are wall beside an opening, below its head."""
    if left < 0 or left + RIM > solid.shape[1]:
        return False
    place = slice(max(head - JAMB, 0), head), slice(left, left + RIM)
    return bool(hole[place].mean() <= STRAY and solid[place].mean() >= SEEN)


def _edge(wall: _Wall, row: int, columns: NDArray[np.int64], deep: float, *, up: bool = True) -> float:
    """Return the fine row where open best parts from wall, within three cells of a row; up: wall is above."""
    across = (columns[:, None] * FINE + np.arange(FINE)).ravel()
    low, high = max(row - RIM, 0) * FINE, (row + RIM) * FINE
    rays, total = (values[low:high, across].sum(axis=1) for values in (wall.rays, wall.behind))
    share = np.where(rays > 0, np.clip(total / np.maximum(rays, 1) / deep, 0, 1), 0.5)
    share = share if up else 1 - share
    wrong = np.r_[0, np.cumsum(1 - share)] + (share.sum() - np.r_[0, np.cumsum(share)])
    return low + float(np.flatnonzero(wrong <= wrong.min() + 1e-9).mean())
