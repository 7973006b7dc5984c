"""Grids of a clip share the voxels of one lattice, so those near each other are cut out of a block that is filled once.

Corners of grids are whole voxels apart and grids are turned by right angles alone. A clip of n frames then takes n
passes over its depth maps a block, not n for each of n grids.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, VOXEL_SIZE

MOST_VOXELS = 8 * int(np.prod(GRID_SHAPE))
"""Of a block: its votes and rays take 65 MB. The grids of a clip that wanders farther are cut out of several."""

_BELOW = np.array([0.0, 0.0, FLOOR_MARGIN])


class GridPlace(NamedTuple):
    """Where the grid of a frame lies.

    low: (3,), its lowest voxel on the world's lattice. quarter: right angles about z by which it is turned.
    """

    frame: int
    low: NDArray[np.int64]
    quarter: int


@dataclass(frozen=True)
class GridBlock:
    """A box of the world's lattice, from voxel ``low`` (3,) to before ``high`` (3,), and the grids that lie in it."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    places: tuple[GridPlace, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        x, y, z = (self.high - self.low).tolist()
        return x, y, z

    @property
    def origin(self) -> NDArray[np.float64]:
        """Corner (3,) of its voxel (0, 0, 0), metres in the world."""
        return np.asarray(self.low * VOXEL_SIZE - _BELOW)

    def cut(self, values: NDArray[Any], place: GridPlace) -> NDArray[Any]:
        """Return the grid (60, 60, 36) of a frame out of the values of the block's voxels."""
        start = place.low - self.low
        box = tuple(slice(low, low + size) for low, size in zip(start, GRID_SHAPE, strict=True))
        return np.rot90(values[box], place.quarter)


def grid_place(frame: int, origin: NDArray[np.floating], grid_from_world: NDArray[np.floating]) -> GridPlace:
    """Return where a grid lies whose corner is ``origin`` (3,), metres in its own frame; grid_from_world: (4, 4)."""
    turn = np.rint(grid_from_world[:3, :3]).astype(np.int64)
    corner = np.rint((np.asarray(origin, np.float64) + _BELOW) / VOXEL_SIZE).astype(np.int64)
    ends = np.stack([corner, corner + GRID_SHAPE]) @ turn
    return GridPlace(frame, ends.min(axis=0), int(np.rint(np.arctan2(turn[1, 0], turn[0, 0]) / (np.pi / 2))))


def grid_blocks(places: Iterable[GridPlace]) -> Iterator[GridBlock]:
    """Yield blocks that hold all grids: those that follow on each other share one as long as it is small."""
    block: GridBlock | None = None
    for place in places:
        alone = GridBlock(place.low, place.low + GRID_SHAPE, (place,))
        wider = alone if block is None else _joined(block, alone)
        if block is not None and np.prod(wider.shape) > MOST_VOXELS:
            yield block
            wider = alone
        block = wider
    if block is not None:
        yield block


def _joined(one: GridBlock, other: GridBlock) -> GridBlock:
    low, high = np.minimum(one.low, other.low), np.maximum(one.high, other.high)
    return GridBlock(low, high, (*one.places, *other.places))
