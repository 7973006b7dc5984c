"""What hangs from ceilings and on walls: lamps and pictures."""

from pipeline.contract.classes import SemanticClass
from pipeline.tours.layout import Room
from pipeline.tours.materials import Material, SurfaceKind
from pipeline.tours.palette import BRIGHT, Rng, material
from pipeline.tours.surfaces import Thing, box, lathe, quarter_turn, rectangle, rod, thing

MIRROR_DEPTH = 0.024
"""Metres from a wall to the glass of a mirror on it."""


def ceiling_lamp(rng: Rng, room: Room) -> Thing:
    """Return a pendant lamp in the middle of the ceiling; it hangs above everybody's head."""
    x0, y0, x1, y1 = room.bounds
    drop = max(float(min(rng.uniform(0.3, 0.5), room.ceiling_height - 2.05)), 0.1)
    depth = min(0.16, drop)
    shade = lathe((0, 0, 0), ((0.0, 0.0), (0.2, 0.0), (0.12, depth), (0.0, depth)), 16)
    cord = rod((0, 0, room.ceiling_height - drop), 0.008, drop, 6)
    glow = Material("smooth", (0.9, 0.82, 0.65), seed=int(rng.integers(1 << 30)), glows=True)
    hung = tuple(sheet.moved(quarter_turn(0, (0, 0), room.ceiling_height - drop)) for sheet in shade)
    lamp = thing(SemanticClass.OBJECTS, (hung, glow), (cord, material(rng, "wood")))
    return lamp.moved(quarter_turn(0, ((x0 + x1) / 2, (y0 + y1) / 2)))


def pictures(rng: Rng, room: Room, along_walls: list[tuple[int, float, float, float]]) -> list[Thing]:
    """Return framed pictures on free stretches of wall, above low furniture."""
    things: list[Thing] = []
    taken = [(side, a - 0.05, b + 0.05) for side, a, b, height in along_walls if height > 1.1]
    taken += [(hole.side, hole.start - 0.35, hole.end + 0.35) for hole in room.openings]
    taken += [(hole.side, hole.start - 1.1, hole.start) for hole in room.openings if hole.kind == "doorway"]
    for _ in range(12):
        side, width = int(rng.integers(4)), float(rng.uniform(0.35, 0.9))
        start = float(rng.uniform(0.1, room.side_length(side) - width - 0.1))
        if not any(s == side and a < start + width and start < b for s, a, b in taken):
            taken.append((side, start - 0.15, start + width + 0.15))
            ceiling = room.form.height_over(room, room.on_floor(side, (start, 0.0, start + width, 0.1)))
            things.append(_picture(rng, start, width, ceiling).moved(room.side_frame(side)))
    return things


def wall_mirror(
    rng: Rng, room: Room, along_walls: list[tuple[int, float, float, float]]
) -> tuple[Thing, tuple[int, float, float, float]] | None:
    """Return a mirror on free wall, with (side, start, end, top) that it takes; None where none is free."""
    for _ in range(25):
        side, width = int(rng.integers(4)), float(rng.uniform(0.6, 1.4))
        start = float(rng.uniform(0.1, room.side_length(side) - width - 0.1))
        end = start + width
        low = max((top + 0.08 for s, a, b, top in along_walls if s == side and a < end and start < b), default=0.25)
        ceiling = room.form.height_over(room, room.on_floor(side, (start, 0.0, end, 0.1)))
        high = min(low + float(rng.uniform(0.8, 1.6)), ceiling - 0.15)
        taken = any(h.side == side and h.start - 1.1 < end and start < h.end + 0.4 for h in room.openings)
        if not taken and high - low > 0.6:
            return _mirror(rng, (start, end), (low, high)).moved(room.side_frame(side)), (side, start, end, high)
    return None


def _mirror(rng: Rng, across: tuple[float, float], heights: tuple[float, float]) -> Thing:
    (start, end), (low, high) = across, heights
    frame = box((start, 0.0, low), (end, MIRROR_DEPTH - 0.002, high))
    rim = 0.035
    glass = rectangle((end - rim, MIRROR_DEPTH, low + rim), (2 * rim - end + start, 0, 0), (0, 0, high - low - 2 * rim))
    silver = Material("smooth", (0.55, 0.57, 0.58), seed=int(rng.integers(1 << 30)), surface=SurfaceKind.MIRROR)
    return thing(SemanticClass.OBJECTS, (frame, material(rng, "wood")), ((glass,), silver))


def _picture(rng: Rng, start: float, width: float, ceiling: float) -> Thing:
    height = min(width * float(rng.uniform(0.7, 1.4)), 2 * (ceiling - 1.6))
    low = 1.55 - height / 2
    frame = box((start, 0.0, low), (start + width, 0.025, low + height))
    canvas = rectangle((start + width - 0.03, 0.027, low + 0.03), (0.06 - width, 0, 0), (0, 0, height - 0.06))
    return thing(SemanticClass.OBJECTS, (frame, material(rng, "wood")), ((canvas,), material(rng, "painting", BRIGHT)))
