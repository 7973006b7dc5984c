"""Where in a room there is a place for what makes it no plain box: clear of doors and windows."""

from pipeline.tours.layout import Bounds, Room

FREE_DOOR = 1.15
"""Metres of floor before a doorway that no form takes, measured from the wall."""


def touches(a: Bounds, b: Bounds) -> bool:
    """Tell whether two floor rectangles overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def leaves_doors_free(room: Room, bounds: Bounds) -> bool:
    """Tell whether all doorways of a room can be walked through with a part of its floor taken."""
    doors = (
        room.on_floor(hole.side, (hole.start - 0.15, -0.1, hole.end + 0.15, FREE_DOOR))
        for hole in room.openings
        if hole.kind == "doorway"
    )
    return not any(touches(bounds, door) for door in doors)


def is_unbroken(room: Room, side: int, start: float, end: float) -> bool:
    """Tell whether a stretch of wall has neither door nor window, nor their curtains."""
    return not any(hole.side == side and hole.start - 0.3 < end and start < hole.end + 0.3 for hole in room.openings)
