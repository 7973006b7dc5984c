"""The floor of a whole house as one map: where a person gets through, and the way from one place to another."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from pipeline.tours.freespace import CELL
from pipeline.tours.house import House
from pipeline.tours.layout import INNER_WALL, Bounds, Room, house_bounds
from pipeline.tours.moves.route import smoothed_way
from pipeline.tours.walks import obstacles

SHOULDERS = 0.22
"""Metres that a walking person keeps from everything; half a doorway is 0.45."""
ROUNDINGS = (0.45, 0.3, 0.2, 0.12, 0.08)
"""Metres over which corners are rounded: the first that keeps clear of everything."""
EASE = 0.6
"""Metres from everything where nobody minds walking."""


@dataclass(frozen=True)
class FloorMap:
    """Metres from every cell (x, y) of the house to what is nearest; ``corner`` is the cells' lowest one, metres."""

    corner: NDArray[np.float64]
    clearance: NDArray[np.float32]

    @classmethod
    def of(cls, house: House) -> "FloorMap":
        """Draw the rooms, their furniture and the doorways between them."""
        x0, y0, x1, y1 = house_bounds(house.rooms)
        corner = np.array([x0, y0]) - 2 * CELL
        free = np.zeros((round((x1 - x0) / CELL) + 4, round((y1 - y0) / CELL) + 4), np.uint8)
        for room in house.rooms:
            free[_cells(corner, room.bounds, whole=True)] = 1
        for room in house.rooms:
            for blocked in obstacles(house, room):
                free[_cells(corner, blocked)] = 0
        for room in house.rooms:
            for gate in _gates(room):
                free[_cells(corner, gate, whole=True)] = 1
        distance = cv2.distanceTransform(free, cv2.DIST_L2, 5) * CELL
        return cls(corner, np.asarray(np.maximum(distance - CELL / 2, 0), np.float32))

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the clearance (n,) at ``points`` (n, 2), metres."""
        cells = np.clip(((points - self.corner) / CELL).astype(int), 0, np.array(self.clearance.shape) - 1)
        return np.asarray(self.clearance[cells[:, 0], cells[:, 1]])

    def places(self, bounds: Bounds, clearance: float) -> NDArray[np.float64]:
        """Return the centres (n, 2) of the cells within ``bounds`` that keep ``clearance`` metres."""
        cells = np.argwhere(self.clearance >= clearance)
        centres = self.corner + (cells + 0.5) * CELL
        inside = ((centres > bounds[:2]) & (centres < bounds[2:])).all(axis=1)
        return np.asarray(centres[inside])

    def way(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the easiest way from ``start`` to ``end``, cells' centres (n, 2); None where there is none."""
        numbers, graph = self._graph
        here, there = (numbers[tuple(((spot - self.corner) / CELL).astype(int))] for spot in (start, end))
        if min(here, there) < 0:
            return None
        _, before = dijkstra(graph, indices=here, return_predecessors=True)
        nodes = [int(there)]
        while nodes[-1] != here:
            nodes.append(int(before[nodes[-1]]))
            if nodes[-1] < 0:
                return None
        cells = np.argwhere(numbers >= 0)[nodes[::-1]]
        return np.asarray(self.corner + (cells + 0.5) * CELL)

    def line(self, here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return a smooth line (n, 2) that keeps clear; None where no way leads, or nothing is to be walked."""
        way = self.way(here, there)
        if way is None or len(way) < 4:
            return None
        for reach in ROUNDINGS:
            line = smoothed_way(way, reach)
            if self.at(line).min() >= SHOULDERS - 0.06:
                return line
        return smoothed_way(way, 0.05)

    @cached_property
    def _graph(self) -> tuple[NDArray[np.int64], csr_array]:
        """Number the walkable cells (x, y), -1 elsewhere, and join neighbours by what it costs to walk there."""
        walkable = self.clearance >= SHOULDERS
        numbers = np.full(walkable.shape, -1)
        numbers[walkable] = np.arange(walkable.sum())
        cost = 1 + 4 * np.clip((EASE - self.clearance) / EASE, 0, 1)
        rows, columns, weights = [], [], []
        for step, length in (((1, 0), 1.0), ((0, 1), 1.0), ((1, 1), np.sqrt(2)), ((1, -1), np.sqrt(2))):
            here, there = _neighbours(step)
            joined = (numbers[here] >= 0) & (numbers[there] >= 0)
            rows.append(numbers[here][joined])
            columns.append(numbers[there][joined])
            weights.append(length * (cost[here] + cost[there])[joined] / 2)
        a, b, w = (np.concatenate(parts) for parts in (rows, columns, weights))
        count = int(walkable.sum())
        ends = (np.concatenate([a, b]), np.concatenate([b, a]))
        return numbers, csr_array((np.concatenate([w, w]), ends), shape=(count, count))


def _neighbours(step: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return slices of the cells that have a neighbour one ``step`` on, and of those neighbours."""
    x, y = step
    if y >= 0:
        return (slice(None, -x or None), slice(None, -y or None)), (slice(x, None), slice(y, None))
    return (slice(None, -x or None), slice(-y, None)), (slice(x, None), slice(None, y))


def _gates(room: Room) -> list[Bounds]:
    """Return the floor within each of a room's doorways, through the wall and past the frame on both sides."""
    return [
        room.on_floor(gate.side, (gate.start, -INNER_WALL - 0.08, gate.end, 0.08))
        for gate in room.openings
        if gate.kind == "doorway"
    ]


def _cells(corner: NDArray[np.float64], bounds: Bounds, *, whole: bool = False) -> tuple[slice, slice]:
    """Return the cells that ``bounds`` touch, or only those that lie in them as a ``whole``."""
    low, high = (np.array(bounds[:2]) - corner) / CELL, (np.array(bounds[2:]) - corner) / CELL
    first, last = (np.ceil(low - 1e-6), np.floor(high + 1e-6)) if whole else (np.floor(low), np.ceil(high))
    first, last = np.maximum(first, 0).astype(int), np.maximum(last, 0).astype(int)
    return slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1]))
