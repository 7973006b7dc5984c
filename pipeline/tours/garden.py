"""The house from outside: facade, roof, lawn, path and trees. None of it has an indoor class."""

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.facade import WALL_THICKNESS, beside_clear_windows, outer_reveal, walls_with_holes
from pipeline.tours.layout import Bounds, Room, house_bounds
from pipeline.tours.materials import Colour, Material, SurfaceKind
from pipeline.tours.palette import WOODS, Rng, material
from pipeline.tours.surfaces import Sheet, Thing, box, cushion, quarter_turn, rectangle, rod, thing

LAWN = 30.0
"""Metres of lawn around the house."""
FACADES: tuple[Colour, ...] = ((0.5, 0.2, 0.13), (0.62, 0.55, 0.42), (0.45, 0.3, 0.22))
ROOFS: tuple[Colour, ...] = ((0.35, 0.12, 0.08), (0.14, 0.14, 0.16), (0.25, 0.17, 0.12))
OUTSIDE = SemanticClass.UNKNOWN


def build_garden(rng: Rng, rooms: tuple[Room, ...]) -> list[Thing]:
    """Return everything outside the rooms."""
    x0, y0, x1, y1 = house_bounds(rooms)
    outline = (x0 - WALL_THICKNESS, y0 - WALL_THICKNESS, x1 + WALL_THICKNESS, y1 + WALL_THICKNESS)
    eaves = max(room.ceiling_height for room in rooms) + 0.25
    things = [
        _lawn(rng, outline),
        _facade(rng, outline, eaves, rooms),
        _roof(rng, outline, eaves),
        *_front_door(rng, outline, rooms),
    ]
    things += [
        _outer_window(rng, room, i) for room in rooms for i, hole in enumerate(room.openings) if hole.kind == "window"
    ]
    return things + [_tree(rng, *spot) for spot in _tree_spots(rng, outline)] + _bushes(rng, outline)


def _lawn(rng: Rng, outline: Bounds) -> Thing:
    x0, y0, x1, y1 = outline
    grass = Material("grass", (0.13, 0.3, 0.06), (0.35, 0.36, 0.1), int(rng.integers(1 << 30)), texel=0.03)
    sheet = rectangle((x0 - LAWN, y0 - LAWN, -0.12), (x1 - x0 + 2 * LAWN, 0, 0), (0, y1 - y0 + 2 * LAWN, 0))
    return thing(OUTSIDE, ((sheet,), grass))


def _facade(rng: Rng, outline: Bounds, eaves: float, rooms: tuple[Room, ...]) -> Thing:
    x0, y0, x1, y1 = outline
    clear = any(hole.clear for room in rooms for hole in room.openings)
    walls = box((x0, y0, -0.12), (x1, y1, eaves))[:4] if not clear else walls_with_holes(outline, eaves, rooms)
    pattern = str(rng.choice(["brick", "plaster"]))
    return thing(OUTSIDE, (walls, _coarse(material(rng, pattern, FACADES))))


def _coarse(fine: Material) -> Material:
    return Material(fine.pattern, fine.colour, fine.accent, fine.seed, fine.glows, texel=0.012)


def _roof(rng: Rng, outline: Bounds, eaves: float) -> Thing:
    """Build a hipped roof: two trapezoids and two triangles with a wide overhang."""
    x0, y0, x1, y1 = (value + over for value, over in zip(outline, (-0.4, -0.4, 0.4, 0.4), strict=True))
    inset = 0.5 * min(x1 - x0, y1 - y0)
    top = eaves + 0.55 * inset
    ridge = ((x0 + inset, y0 + inset, top), (x1 - inset, y1 - inset, top))
    a, b, c, d = (x0, y0, eaves), (x1, y0, eaves), (x1, y1, eaves), (x0, y1, eaves)
    if x1 - x0 >= y1 - y0:
        slopes = [
            (a, b, ridge[1], ridge[0]),
            (b, c, ridge[1], ridge[1]),
            (c, d, ridge[0], ridge[1]),
            (d, a, ridge[0], ridge[0]),
        ]
    else:
        slopes = [
            (a, b, ridge[0], ridge[0]),
            (b, c, ridge[1], ridge[0]),
            (c, d, ridge[1], ridge[1]),
            (d, a, ridge[0], ridge[1]),
        ]
    sheets = tuple(_slope(*corners) for corners in slopes)
    soffit = rectangle((x0, y1, eaves - 0.01), (x1 - x0, 0, 0), (0, y0 - y1, 0))
    return thing(
        OUTSIDE, (sheets, _coarse(material(rng, "brick", ROOFS))), ((soffit,), _coarse(material(rng, "wood", WOODS)))
    )


def _slope(*corners: tuple[float, float, float]) -> Sheet:
    a, b, c, d = (np.array(corner) for corner in corners)
    return Sheet(np.stack([[a, b], [d, c]]), (float(np.linalg.norm((d + c - a - b) / 2)), float(np.linalg.norm(b - a))))


def _front_door(rng: Rng, outline: Bounds, rooms: tuple[Room, ...]) -> list[Thing]:
    """Return a door in the facade at y_min, with a step and a paved path."""
    x0, y0, x1, _ = outline
    x = beside_clear_windows((x0 + x1) / 2 + float(rng.uniform(-1, 1)), outline, rooms)
    door = box((x - 0.5, y0 - 0.04, 0.0), (x + 0.5, y0, 2.1))
    frame = box((x - 0.6, y0 - 0.03, 0.0), (x - 0.5, y0, 2.2)) + box((x + 0.5, y0 - 0.03, 0.0), (x + 0.6, y0, 2.2))
    step = box((x - 0.8, y0 - 0.9, -0.12), (x + 0.8, y0, -0.01))
    path = rectangle((x - 0.7, y0 - 20, -0.1), (1.4, 0, 0), (0, 20, 0))
    stone = Material("tiles", (0.42, 0.4, 0.37), (0.3, 0.3, 0.28), int(rng.integers(1 << 30)), texel=0.02)
    leaf = thing(OUTSIDE, (door, material(rng, "panels", WOODS)), (frame, material(rng, "wood")))
    return [leaf, thing(OUTSIDE, (step, stone), ((path,), stone))]


def _outer_window(rng: Rng, room: Room, opening: int) -> Thing:
    hole = room.openings[opening]
    a, b, low, high = hole.start, hole.end, hole.bottom, hole.top
    pane = rectangle((a, -WALL_THICKNESS - 0.01, low), (b - a, 0, 0), (0, 0, high - low))
    bars = [(a, a + 0.06, low, high), (b - 0.06, b, low, high), (a, b, low, low + 0.06), (a, b, high - 0.06, high)]
    bars.append(((a + b) / 2 - 0.03, (a + b) / 2 + 0.03, low, high))
    frame = tuple(s for p, q, z0, z1 in bars for s in box((p, -WALL_THICKNESS - 0.04, z0), (q, -WALL_THICKNESS, z1)))
    surface = SurfaceKind.GLASS if hole.clear else SurfaceKind.PLAIN
    glass = Material("view", (0.2, 0.25, 0.3), seed=int(rng.integers(1 << 30)), surface=surface)
    white = Material("smooth", (0.75, 0.74, 0.72), seed=int(rng.integers(1 << 30)))
    sides = outer_reveal(hole) if hole.clear else ()
    return thing(OUTSIDE, ((pane,), glass), (frame + sides, white)).moved(room.side_frame(hole.side))


def _tree_spots(rng: Rng, outline: Bounds) -> list[tuple[float, float]]:
    """Draw places for trees: a ring far enough out that the camera stays before them."""
    x0, y0, x1, y1 = outline
    reach = 0.5 * float(np.hypot(x1 - x0, y1 - y0))
    angles = np.linspace(0, 2 * np.pi, 15)[:-1] + rng.uniform(-0.15, 0.15, 14)
    radii = reach + rng.uniform(11, 20, 14)
    return [
        (float((x0 + x1) / 2 + r * np.cos(a)), float((y0 + y1) / 2 + r * np.sin(a)))
        for r, a in zip(radii, angles, strict=True)
    ]


def _tree(rng: Rng, x: float, y: float) -> Thing:
    height = float(rng.uniform(4, 7))
    trunk = rod((0, 0, -0.12), 0.18, 0.6 * height)
    crown: list[Sheet] = []
    for _ in range(9):
        dx, dy, dz = rng.uniform(-0.2, 0.2) * height, rng.uniform(-0.2, 0.2) * height, rng.uniform(0.5, 0.95) * height
        crown += cushion((float(dx), float(dy), float(dz)), (0.19 * height, 0.19 * height, 0.16 * height), 1, 8)
    green = Material(
        "leaves", (0.09, float(rng.uniform(0.18, 0.28)), 0.05), seed=int(rng.integers(1 << 30)), texel=0.03
    )
    return thing(OUTSIDE, (trunk, Material("wood", (0.22, 0.14, 0.09), texel=0.012)), (tuple(crown), green)).moved(
        quarter_turn(0, (x, y))
    )


def _bushes(rng: Rng, outline: Bounds) -> list[Thing]:
    x0, y0, x1, y1 = outline
    spots = [
        (x0 - 0.7, y0 + 1),
        (x1 + 0.7, y0 + 1.5),
        (x0 + 1, y0 - 0.7),
        (x1 - 1, y0 - 0.8),
        (x0 + 1, y1 + 0.8),
        (x1 - 1.5, y1 + 0.7),
    ]
    green = Material("leaves", (0.1, 0.26, 0.06), texel=0.012)
    return [
        thing(
            OUTSIDE,
            (
                cushion((x, y, 0.3), (0.6, 0.5, float(rng.uniform(0.4, 0.7))), 0.9, 10),
                Material("leaves", green.colour, seed=int(rng.integers(1 << 30)), texel=0.012),
            ),
        )
        for x, y in spots
    ]
