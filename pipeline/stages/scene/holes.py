"""Holes in a wall, looked at squarely: which are panes, and not doorways, gaps or the end of the wall.

A wall is a picture of cells here, rows upwards from its foot, columns along it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.stages.scene.settings import PaneSettings

GAP = 1
"""Cells between a pane and the wall around it that may show anything: pixels on an edge see both."""

SEEN_THROUGH = 0.25
"""Share of a hole's cells behind which something is seen, at least; in the others rays end nowhere."""

OPEN_MOST = 0.2
"""Share of a side where the wall is not seen that may be open."""

Rectangle = tuple[int, int, int, int]
"""First row, first column, rows, columns."""


@dataclass(frozen=True)
class WallSeen:
    """How often rays ended on the wall, well behind it, and nowhere (sky): three (rows, columns) of counts."""

    solid: NDArray[np.int64]
    beyond: NDArray[np.int64]
    nowhere: NDArray[np.int64]

    @property
    def holes(self) -> NDArray[np.bool_]:
        """Cells that are seen through, (rows, columns)."""
        return np.asarray((self.beyond >= 2) & (self.beyond > 2 * self.solid))

    @property
    def sky(self) -> NDArray[np.bool_]:
        """Cells in which rays end nowhere, (rows, columns)."""
        return np.asarray((self.nowhere >= 2) & (self.nowhere > 2 * self.solid))

    @property
    def wall(self) -> NDArray[np.bool_]:
        """Cells on which the wall is seen, (rows, columns)."""
        return np.asarray((self.solid >= 1) & (self.solid >= self.beyond))


@dataclass(frozen=True)
class WallHole:
    """Cells (rows, columns) of a hole, and its rectangle."""

    cells: NDArray[np.bool_]
    rectangle: Rectangle

    def is_apart(self, others: "Iterable[WallHole]") -> bool:
        """Tell whether it shares no cell with others."""
        return not any((self.cells & other.cells).any() for other in others)


def enclosed_holes(seen: WallSeen, settings: PaneSettings, *, in_corner: bool = False) -> list[WallHole]:
    """Return the holes that are rectangular, large enough, off the wall's foot, and walled in.

    On all four sides, or on three where something hides the left or the right one. Through a window one may see the
    sky as well, where rays end nowhere. in_corner: whether the wall may end soon beside one, which is then seen on all.
    """
    found = list[WallHole]()
    for cells in (seen.holes, seen.holes | seen.sky):
        for hole in _rectangular(cells, settings):
            shown = seen.holes[hole.cells].mean() >= SEEN_THROUGH and hole.is_apart(found)
            if shown and (_is_walled_in(seen, hole, settings) if in_corner else _is_within(seen, hole, settings)):
                found.append(hole)
    return found


def _is_walled_in(seen: WallSeen, hole: WallHole, settings: PaneSettings) -> bool:
    """Tell whether wall is seen on all sides of a hole, as far as it goes."""
    return min(_sides(seen.wall, hole.rectangle, _rim(settings))) >= settings.rim_seen


def _is_within(seen: WallSeen, hole: WallHole, settings: PaneSettings) -> bool:
    """Tell whether the wall goes on around a hole, and is seen there; on the left or the right it may be hidden."""
    (low, left, rows, columns), wide = hole.rectangle, GAP + _rim(settings)
    top, right = seen.solid.shape
    if min(low, left) < wide or low + rows + wide > top or left + columns + wide > right:
        return False
    sides, open_ = (_sides(cells, hole.rectangle, _rim(settings)) for cells in (seen.wall, seen.holes))
    hidden = max(sides[2:]) >= settings.rim_seen and max(open_[2:]) <= OPEN_MOST
    return min(sides[:2]) >= settings.rim_seen and (min(sides) >= settings.rim_seen or hidden)


def hemmed_holes(seen: WallSeen, settings: PaneSettings) -> Iterator[WallHole]:
    """Yield holes like those that are walled in on two sides at least, and open on none: much may hide a mirror."""
    rim = _rim(settings)
    for hole in _rectangular(seen.holes, settings):
        walled, open_ = (_sides(cells, hole.rectangle, rim) for cells in (seen.wall, seen.holes))
        if sorted(walled)[-2] >= settings.rim_seen and max(open_) <= OPEN_MOST:
            yield hole


def _rim(settings: PaneSettings) -> int:
    return max(round(settings.rim_share / settings.cell_share), 1)


def _rectangular(cells: NDArray[np.bool_], settings: PaneSettings) -> Iterator[WallHole]:
    """Yield the parts of some cells (rows, columns) that are rectangular, large enough, and off the wall's foot."""
    rim = _rim(settings)
    padded = np.pad(cells.astype(np.uint8), rim)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((rim, rim), np.uint8))[rim:-rim, rim:-rim]
    count, numbers, figures, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(closed), connectivity=4)
    least, sill = settings.side_share / settings.cell_share, settings.sill_share * len(cells)
    for number in range(1, count):
        left, low, columns, rows, area = (int(figure) for figure in figures[number])
        if min(rows, columns) >= least and low >= sill and area >= settings.filled_min * rows * columns:
            yield WallHole(numbers == number, (low, left, rows, columns))


def _sides(cells: NDArray[np.bool_], rectangle: Rectangle, rim: int) -> list[float]:
    """Return the share of some cells (rows, columns) below, above, left and right of a rectangle, ``rim`` wide."""
    low, left, rows, columns = rectangle
    top, right, wide = low + rows, left + columns, GAP + rim
    sides = (
        cells[max(low - wide, 0) : max(low - GAP, 0), left:right],
        cells[top + GAP : top + wide, left:right],
        cells[low:top, max(left - wide, 0) : max(left - GAP, 0)],
        cells[low:top, right + GAP : right + wide],
    )
    return [float(side.mean()) if side.size else 0.0 for side in sides]
