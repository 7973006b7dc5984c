"""Holes in a wall, looked at squarely: which are panes, and not doorways, gaps or the end of the wall.

A wall is a picture of cells here, rows upwards from its foot, columns along it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.stages.scene.settings import PaneSettings

GAP = 1
"""Cells between a pane and the wall around it that may show anything: pixels on an edge see both."""


@dataclass(frozen=True)
class WallSeen:
    """How often rays ended on the wall and how often well behind it: two (rows, columns) of counts."""

    solid: NDArray[np.int64]
    beyond: NDArray[np.int64]


@dataclass(frozen=True)
class WallHole:
    """Cells (rows, columns) of a hole, and its rectangle: first row, first column, rows, columns."""

    cells: NDArray[np.bool_]
    rectangle: tuple[int, int, int, int]


def enclosed_holes(seen: WallSeen, settings: PaneSettings) -> Iterator[WallHole]:
    """Yield the holes that are rectangular, large enough, off the wall's foot, and walled in on all four sides."""
    rim = max(round(settings.rim_share / settings.cell_share), 1)
    hole = (seen.beyond >= 2) & (seen.beyond > 2 * seen.solid)
    solid = (seen.solid >= 1) & (seen.solid >= seen.beyond)
    padded = np.pad(hole.astype(np.uint8), rim)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((rim, rim), np.uint8))[rim:-rim, rim:-rim]
    count, numbers, figures, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(closed), connectivity=4)
    least, sill = settings.side_share / settings.cell_share, settings.sill_share * hole.shape[0]
    for number in range(1, count):
        left, low, columns, rows, area = (int(figure) for figure in figures[number])
        if min(rows, columns) < least or low < sill or area < settings.filled_min * rows * columns:
            continue
        if walled_in(solid, (low, left, rows, columns), rim, settings.rim_seen):
            yield WallHole(numbers == number, (low, left, rows, columns))


def walled_in(solid: NDArray[np.bool_], rectangle: tuple[int, int, int, int], rim: int, share: float) -> bool:
    """Tell whether a share of the wall is seen on each side of a rectangle, ``rim`` cells wide.

    solid: (rows, columns), cells on which the wall was seen.
    """
    low, left, rows, columns = rectangle
    top, right, wide = low + rows, left + columns, GAP + rim
    if min(low, left) < wide or top + wide > solid.shape[0] or right + wide > solid.shape[1]:
        return False
    sides = (
        solid[low - wide : low - GAP, left:right],
        solid[top + GAP : top + wide, left:right],
        solid[low:top, left - wide : left - GAP],
        solid[low:top, right + GAP : right + wide],
    )
    return all(side.mean() >= share for side in sides)
