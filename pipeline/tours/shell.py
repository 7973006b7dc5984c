"""The shell of a room: floor, ceiling, walls with their openings, door frames, windows and curtains."""

from dataclasses import replace

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.layout import INNER_WALL, Coats, Opening, Room
from pipeline.tours.materials import Colour, Material, SurfaceKind
from pipeline.tours.palette import BRIGHT, CLOTHS, WOODS, Rng, material
from pipeline.tours.surfaces import Sheet, Thing, box, rectangle, thing

WALL_COLOURS: tuple[Colour, ...] = (
    (0.72, 0.68, 0.6),
    (0.62, 0.68, 0.7),
    (0.7, 0.6, 0.5),
    (0.6, 0.66, 0.55),
    (0.72, 0.7, 0.68),
    (0.5, 0.55, 0.62),
)
TILE_COLOURS: tuple[Colour, ...] = ((0.55, 0.52, 0.48), (0.4, 0.38, 0.36), (0.62, 0.5, 0.4))
WHITE: tuple[Colour, ...] = ((0.75, 0.74, 0.72), (0.68, 0.67, 0.64))
BARE: Colour = (0.74, 0.74, 0.73)
PANE_DEPTH = 0.12
"""Metres from the wall's inner face to the window pane."""


def build_shell(rng: Rng, room: Room) -> list[Thing]:
    """Return floor, ceiling, four walls and what fills their openings."""
    walls, skirting = (
        material(rng, str(rng.choice(["plaster", "wallpaper", "plaster"])), WALL_COLOURS),
        material(rng, "smooth", WHITE),
    )
    things = [_floor(rng, room), _ceiling(rng, room)]
    for side in range(4):
        paint = Material(walls.pattern, walls.colour, walls.accent, walls.seed + side)
        paint = replace(paint, pattern="bare", colour=BARE) if room.finish.bare else paint
        things.append(_wall(room, side, paint, skirting).moved(room.side_frame(side)))
    for hole in room.openings:
        fill = _doorway if hole.kind == "doorway" else _window
        things += [piece.moved(room.side_frame(hole.side)) for piece in fill(rng, room, hole)]
    coats = Coats(paint, skirting, ceiling=things[1].parts[0][1], floor=things[0].parts[0][1])
    return things + room.form.build(rng, room, coats)


def _floor(rng: Rng, room: Room) -> Thing:
    tiled = room.kind == "kitchen"
    surface = material(rng, "tiles", TILE_COLOURS) if tiled else material(rng, "planks", WOODS)
    sheets = [
        rectangle((x0, y0, 0), (x1 - x0, 0, 0), (0, y1 - y0, 0), start=(y0 - room.bounds[1], x0 - room.bounds[0]))
        for x0, y0, x1, y1 in room.form.floors(room)
    ]
    for gate in room.openings:
        if gate.kind == "doorway":
            sill = rectangle((gate.start, -INNER_WALL / 2, 0), (gate.end - gate.start, 0, 0), (0, INNER_WALL / 2, 0))
            sheets.append(sill.moved(room.side_frame(gate.side)))
    surface = replace(surface, surface=SurfaceKind.GLOSSY) if room.finish.glossy else surface
    return thing(SemanticClass.FLOOR, (tuple(sheets), surface))


def _ceiling(rng: Rng, room: Room) -> Thing:
    sheets = tuple(
        rectangle(
            (x0, y1, room.ceiling_height),
            (x1 - x0, 0, 0),
            (0, y0 - y1, 0),
            start=(room.bounds[3] - y1, x0 - room.bounds[0]),
        )
        for x0, y0, x1, y1 in room.form.ceilings(room)
    )
    return thing(SemanticClass.CEILING, (sheets, material(rng, "plaster", WHITE)))


def _wall(room: Room, side: int, paint: Material, skirting: Material) -> Thing:
    """Build a wall in its own frame: rectangles around the openings, and a skirting board between the doors."""
    length, height = room.side_length(side), room.ceiling_height
    holes = [(hole.start, hole.end, hole.bottom, hole.top) for hole in room.openings if hole.side == side]
    holes += [(start, end, 0.0, height) for start, end in room.form.gaps(room, side)]
    pieces, x = [], 0.0
    for start, end, bottom, top in sorted(holes, key=lambda hole: hole[0]):
        pieces += [(x, start, 0.0, height), (start, end, 0.0, bottom), (start, end, top, height)]
        x = end
    pieces.append((x, length, 0.0, height))
    whole = [piece for piece in pieces if piece[1] > piece[0] and piece[3] > piece[2]]
    sheets = tuple(_wall_piece(length, *piece) for piece in whole)
    boards = tuple(s for a, b, low, _ in whole if low == 0 for s in box((a, 0.0, 0.0), (b, 0.015, 0.08)))
    return thing(SemanticClass.WALL, (sheets, paint), (boards, skirting))


def _wall_piece(length: float, x0: float, x1: float, z0: float, z1: float) -> Sheet:
    return rectangle((x1, 0, z0), (x0 - x1, 0, 0), (0, 0, z1 - z0), start=(z0, length - x1))


def _doorway(rng: Rng, room: Room, gate: Opening) -> list[Thing]:
    """Return this room's half of a door frame and, where the wall has space for it, the open door leaf."""
    back, front, post = -INNER_WALL / 2, 0.02, 0.07
    frame = (
        *box((gate.start - post, back, 0), (gate.start, front, gate.top + post)),
        *box((gate.end, back, 0), (gate.end + post, front, gate.top + post)),
        *box((gate.start, back, gate.top), (gate.end, front, gate.top + post)),
    )
    things = [thing(SemanticClass.OBJECTS, (frame, material(rng, "smooth", WHITE)))]
    leaf_start = gate.start - post - 0.9
    if (
        room.room_id < (gate.leads_to or 0)
        and leaf_start > 0.1
        and _is_bare(room, gate.side, leaf_start, gate.start - post)
    ):
        things.append(_leaf(rng, leaf_start, gate.top))
    return things


def _is_bare(room: Room, side: int, start: float, end: float) -> bool:
    return not any(hole.side == side and hole.start < end and start < hole.end for hole in room.openings)


def _leaf(rng: Rng, start: float, height: float) -> Thing:
    leaf = box((start, 0.03, 0.01), (start + 0.88, 0.07, height))
    handle = box((start + 0.06, 0.07, 1.0), (start + 0.2, 0.1, 1.025))
    return thing(
        SemanticClass.OBJECTS,
        (leaf, material(rng, "panels", WHITE + WOODS[:2])),
        (handle, Material("smooth", (0.4, 0.4, 0.38))),
    )


def _window(rng: Rng, room: Room, hole: Opening) -> list[Thing]:
    """Return reveal, pane, frame and, on most windows, curtains."""
    a, b, low, high, deep = hole.start, hole.end, hole.bottom, hole.top, -PANE_DEPTH
    reveal = (
        rectangle((a, deep, low), (0, PANE_DEPTH, 0), (0, 0, high - low)),
        rectangle((b, 0, low), (0, deep, 0), (0, 0, high - low)),
        rectangle((a, deep, high), (b - a, 0, 0), (0, PANE_DEPTH, 0)),
    )
    pane = rectangle((b, deep, low), (a - b, 0, 0), (0, 0, high - low))
    view = Material("view", (0.75, 0.85, 0.95), seed=int(rng.integers(1 << 30)), glows=True)
    view = replace(view, surface=SurfaceKind.GLASS) if hole.clear else view
    bars = [(a, a + 0.05, low, high), (b - 0.05, b, low, high), (a, b, low, low + 0.05), (a, b, high - 0.05, high)]
    bars.append(((a + b) / 2 - 0.03, (a + b) / 2 + 0.03, low, high))
    frame = tuple(s for x0, x1, z0, z1 in bars for s in box((x0, deep, z0), (x1, deep + 0.04, z1)))
    board = box((a - 0.05, deep, low - 0.03), (b + 0.05, 0.04, low))
    window = thing(SemanticClass.WINDOW, ((pane,), view), (frame + board, material(rng, "smooth", WHITE)))
    things = [window, thing(SemanticClass.WALL, (reveal, material(rng, "plaster", WHITE)))]
    return things + (_curtains(rng, room, hole) if rng.random() < 0.6 else [])


def _curtains(rng: Rng, room: Room, hole: Opening) -> list[Thing]:
    cloth, top = material(rng, "curtain", CLOTHS + BRIGHT), hole.top + 0.12
    spans = (
        (max(hole.start - 0.25, 0.02), hole.start + 0.12),
        (hole.end - 0.12, min(hole.end + 0.25, room.side_length(hole.side) - 0.02)),
    )
    sheets = tuple(_folded(x0, x1, hole.bottom - 0.15, top) for x0, x1 in spans)
    pole = box((spans[0][0], 0.055, top), (spans[1][1], 0.075, top + 0.02))
    return [thing(SemanticClass.WINDOW, (sheets, cloth), (pole, material(rng, "wood")))]


def _folded(x0: float, x1: float, bottom: float, top: float) -> Sheet:
    x = np.linspace(x1, x0, 25)
    y = 0.06 + 0.022 * np.sin(np.linspace(0, 8 * np.pi, 25))
    rows = [np.stack([x, y, np.full_like(x, z)], axis=-1) for z in (bottom, top)]
    return Sheet(np.stack(rows), (top - bottom, 1.6 * (x1 - x0)))
