"""The plan of houses that are only scored: rooms in a row, each longer than any room of another house."""

import numpy as np

from pipeline.tours.layout import INNER_WALL, Bounds

FRONT = (3.0, 4.2)
"""Metres that a room takes along the row."""
LENGTH = (6.3, 7.5)
"""Metres across the row, the same for all rooms of a house; ``ROOM_SIDE`` of other houses ends at 6."""


def in_a_row(rng: np.random.Generator, count: int) -> list[Bounds]:
    """Return the bounds of ``count`` rooms side by side, along x or along y."""
    length, along_x = float(rng.uniform(*LENGTH)), bool(rng.random() < 0.5)
    rooms: list[Bounds] = []
    start = 0.0
    for _ in range(count):
        end = start + float(rng.uniform(*FRONT))
        rooms.append((start, 0.0, end, length) if along_x else (0.0, start, length, end))
        start = end + INNER_WALL
    return rooms
