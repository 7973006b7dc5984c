"""Where in a room a person with a camera can stand."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tours.layout import Bounds, Room

CELL = 0.05
"""Metres a cell of the floor raster."""
LONGEST_WALK = 2.4
SHORTEST_WALK = 1.1


def clearance_map(room: Room, footprints: list[Bounds]) -> NDArray[np.float32]:
    """Return the distance in metres from every floor cell [x, y] of the room to the nearest wall or footprint."""
    x0, y0, x1, y1 = room.bounds
    free = np.ones((round((x1 - x0) / CELL) + 2, round((y1 - y0) / CELL) + 2), np.uint8)
    free[[0, -1], :] = free[:, [0, -1]] = 0
    for low_x, low_y, high_x, high_y in footprints:
        rows = slice(max(int((low_x - x0) / CELL) + 1, 0), max(int(np.ceil((high_x - x0) / CELL)) + 1, 0))
        columns = slice(max(int((low_y - y0) / CELL) + 1, 0), max(int(np.ceil((high_y - y0) / CELL)) + 1, 0))
        free[rows, columns] = 0
    distance = cv2.distanceTransform(free, cv2.DIST_L2, 5)[1:-1, 1:-1] * CELL
    return np.asarray(np.maximum(distance - CELL / 2, 0), np.float32)


def is_walkable(room: Room, footprints: list[Bounds], clearance: float) -> bool:
    """Tell whether some stretch of free floor is long enough for a shot."""
    free = (clearance_map(room, footprints) >= clearance).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1, initial=0)
    return bool((sides * CELL >= SHORTEST_WALK).any())
