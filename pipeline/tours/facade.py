"""The outer walls of a house whose windows one looks through: sheets around the holes, and the holes' sides."""

import numpy as np

from pipeline.tours.layout import Bounds, Opening, Room
from pipeline.tours.shell import PANE_DEPTH
from pipeline.tours.surfaces import Sheet, rectangle

WALL_THICKNESS = 0.28
"""Metres from the inner to the outer face of an outer wall."""
FOOT = -0.12
DOOR_REACH = 0.65

Hole = tuple[float, float, float, float]
"""start, end, bottom, top, metres, in the frame of a wall."""


def walls_with_holes(outline: Bounds, eaves: float, rooms: tuple[Room, ...]) -> tuple[Sheet, ...]:
    """Return the four walls of ``outline`` up to ``eaves``, facing outwards, open where windows are clear."""
    whole = Room(0, "living", outline, eaves)
    sheets: list[Sheet] = []
    for side in range(4):
        frame = whole.side_frame(side)
        for a, b, low, high in _around(_holes(rooms, side, frame), whole.side_length(side), eaves):
            piece = rectangle((a, 0, low), (b - a, 0, 0), (0, 0, high - low), start=(low - FOOT, a))
            sheets.append(piece.moved(frame))
    return tuple(sheets)


def beside_clear_windows(x: float, outline: Bounds, rooms: tuple[Room, ...]) -> float:
    """Return the place nearest to ``x`` for the front door, in the wall at y_min, that no clear window looks out at."""
    frame = Room(0, "living", outline, 1.0).side_frame(0)
    spans = [(outline[0] + a - DOOR_REACH, outline[0] + b + DOOR_REACH) for a, b, _, _ in _holes(rooms, 0, frame)]
    places = [x, *np.linspace(outline[0] + 1, outline[2] - 1, 60).tolist()]
    free = [place for place in places if not any(a < place < b for a, b in spans)]
    return min(free, key=lambda place: abs(place - x), default=x)


def outer_reveal(hole: Opening) -> tuple[Sheet, ...]:
    """Return the sides of a window's hole from its inner pane to the facade, in the frame of its wall."""
    a, b, low, high = hole.start, hole.end, hole.bottom, hole.top
    out, deep = -WALL_THICKNESS, WALL_THICKNESS - PANE_DEPTH
    return (
        rectangle((a, out, low), (0, deep, 0), (0, 0, high - low)),
        rectangle((b, out + deep, low), (0, -deep, 0), (0, 0, high - low)),
        rectangle((a, out, high), (b - a, 0, 0), (0, deep, 0)),
        rectangle((a, out + deep, low), (b - a, 0, 0), (0, -deep, 0)),
    )


def _holes(rooms: tuple[Room, ...], side: int, frame: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[Hole]:
    to_wall = np.linalg.inv(frame)
    holes = []
    for room in rooms:
        for hole in room.openings:
            if hole.clear and hole.side == side:
                start = float((to_wall @ room.side_frame(side) @ [hole.start, 0, 0, 1])[0])
                holes.append((start, start + hole.end - hole.start, hole.bottom, hole.top))
    return sorted(holes)


def _around(holes: list[Hole], length: float, height: float) -> list[Hole]:
    """Return the rectangles of a wall that its holes leave."""
    pieces, x = [], 0.0
    for start, end, low, high in holes:
        pieces += [(x, start, FOOT, height), (start, end, FOOT, low), (start, end, high, height)]
        x = end
    return [*pieces, (x, length, FOOT, height)]
