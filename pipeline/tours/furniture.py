"""Furniture for the eleven classes, built of several primitives each.

Every builder returns an ``Item`` in its own frame: x along the wall it stands at, centred; y away from
the wall, beginning at 0; z up. One ``Thing`` of an item is one instance of the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.classes import SemanticClass
from pipeline.tours.materials import Colour, Material
from pipeline.tours.surfaces import (
    Sheet,
    Thing,
    Transform,
    Vector,
    box,
    cushion,
    lathe,
    quarter_turn,
    rectangle,
    rod,
    thing,
)

Rng = np.random.Generator
WOODS: tuple[Colour, ...] = (
    (0.36, 0.2, 0.1),
    (0.5, 0.33, 0.18),
    (0.2, 0.1, 0.06),
    (0.62, 0.48, 0.32),
    (0.56, 0.46, 0.36),
)
CLOTHS: tuple[Colour, ...] = (
    (0.15, 0.2, 0.3),
    (0.4, 0.12, 0.1),
    (0.35, 0.33, 0.28),
    (0.12, 0.25, 0.17),
    (0.5, 0.38, 0.2),
    (0.3, 0.3, 0.35),
)
BRIGHT: tuple[Colour, ...] = (
    (0.7, 0.55, 0.1),
    (0.65, 0.2, 0.12),
    (0.12, 0.4, 0.45),
    (0.7, 0.68, 0.62),
    (0.35, 0.15, 0.35),
)


@dataclass(frozen=True)
class Item:
    """Things that stand together on ``width`` x ``depth`` metres of floor."""

    width: float
    depth: float
    things: tuple[Thing, ...]

    @property
    def height(self) -> float:
        """Height above the floor in metres."""
        return max(float(piece.bounds()[1, 2]) for piece in self.things)

    def moved(self, transform: Transform) -> tuple[Thing, ...]:
        """Return the things in the room."""
        return tuple(piece.moved(transform) for piece in self.things)


def material(rng: Rng, pattern: str, colours: tuple[Colour, ...] = WOODS) -> Material:
    """Draw a material: a colour and an accent of ``colours``, and a seed of its own."""
    colour, accent = (colours[int(i)] for i in rng.choice(len(colours), 2, replace=False))
    shade = float(rng.uniform(0.85, 1.15))
    return Material(pattern, tuple(shade * c for c in colour), accent, int(rng.integers(1 << 30)))  # type: ignore[arg-type]


def legs(width: float, y0: float, y1: float, height: float, radius: float = 0.025) -> tuple[Sheet, ...]:
    """Return four legs under a rectangle centred on x, from y0 to y1."""
    inset = radius + 0.02
    corners = [(x, y) for x in (-width / 2 + inset, width / 2 - inset) for y in (y0 + inset, y1 - inset)]
    return tuple(sheet for x, y in corners for sheet in rod((x, y, 0), radius, height, 6))


def chair(rng: Rng) -> Item:
    """Return a chair facing +y: seat, cushion, back of three slats, four legs."""
    return _chair(rng, material(rng, "wood"), material(rng, "fabric", CLOTHS), float(rng.uniform(0.85, 1.0)))


def _chair(rng: Rng, wood: Material, cloth: Material, back: float) -> Item:
    width, depth = 0.44, 0.46
    slats = tuple(s for x in (-0.17, 0.0, 0.17) for s in box((x - 0.03, 0.01, 0.46), (x + 0.03, 0.03, back - 0.1)))
    rails = box((-width / 2, 0, 0.42), (width / 2, depth, 0.455)) + box(
        (-width / 2, 0, back - 0.12), (width / 2, 0.035, back)
    )
    seat = cushion((0, depth / 2, 0.475), (0.19, 0.2, 0.03))
    seed = int(rng.integers(1 << 30))
    timber = (rails + slats + legs(width, 0, depth, 0.42), replace(wood, seed=seed))
    return Item(width, depth, (thing(SemanticClass.CHAIR, timber, (seat, replace(cloth, seed=seed))),))


def armchair(rng: Rng) -> Item:
    """Return an upholstered chair: seat, back, two arms, four feet."""
    cloth, width, depth = material(rng, "fabric", CLOTHS), 0.8, 0.8
    soft = (
        *cushion((0, 0.45, 0.32), (0.3, 0.33, 0.13)),
        *cushion((0, 0.13, 0.62), (0.32, 0.13, 0.33)),
        *cushion((-0.33, 0.42, 0.36), (0.07, 0.37, 0.24)),
        *cushion((0.33, 0.42, 0.36), (0.07, 0.37, 0.24)),
    )
    feet = (legs(width, 0.05, depth, 0.14), material(rng, "wood"))
    return Item(width, depth, (thing(SemanticClass.CHAIR, (soft, cloth), feet), _pillow(rng, (0.05, 0.3, 0.58))))


def _pillow(rng: Rng, centre: Vector, radii: Vector = (0.2, 0.08, 0.19)) -> Thing:
    return thing(SemanticClass.OBJECTS, (cushion(centre, radii, 0.7), material(rng, "fabric", BRIGHT)))


def sofa(rng: Rng) -> Item:
    """Return a sofa with arms, back, two or three seat cushions and pillows."""
    seats = int(rng.integers(2, 4))
    width, depth, cloth = 0.68 * seats + 0.36, 0.9, material(rng, "fabric", CLOTHS)
    left = -width / 2 + 0.18
    body = [
        *box((-width / 2 + 0.1, 0.1, 0.1), (width / 2 - 0.1, depth - 0.05, 0.28)),
        *cushion((0, 0.13, 0.45), (width / 2, 0.13, 0.4), 0.3),
    ]
    for x in (-width / 2 + 0.1, width / 2 - 0.1):
        body += cushion((x, 0.45, 0.33), (0.1, 0.45, 0.27), 0.35)
    for i in range(seats):
        body += cushion((left + 0.68 * (i + 0.5), 0.56, 0.36), (0.34, 0.34, 0.1), 0.3)
        body += cushion((left + 0.68 * (i + 0.5), 0.3, 0.6), (0.33, 0.1, 0.22), 0.4)
    pillows = tuple(_pillow(rng, (x, 0.46, 0.62)) for x in (left + 0.25, -left - 0.25))
    couch = thing(SemanticClass.SOFA, (tuple(body), cloth), (legs(width, 0.05, depth, 0.1), material(rng, "wood")))
    return Item(width, depth, (couch, *pillows))


def double_bed(rng: Rng) -> Item:
    """Return a bed for two with its head at the wall."""
    return _bed(rng, float(rng.choice([1.4, 1.6])))


def single_bed(rng: Rng) -> Item:
    """Return a bed for one with its head at the wall."""
    return _bed(rng, 0.95)


def _bed(rng: Rng, width: float) -> Item:
    """Build headboard, frame, mattress, blanket and a pillow for each sleeper."""
    depth, half = 2.1, width / 2
    wood = (
        box((-half, 0.02, 0.1), (half, 0.08, 1.0))
        + box((-half, 0.08, 0.15), (half, depth, 0.32))
        + legs(width, 0, depth, 0.15)
    )
    mattress = cushion((0, 1.08, 0.42), (half - 0.02, 0.99, 0.14), 0.2)
    blanket = cushion((0, 1.38, 0.44), (half, 0.71, 0.16), 0.2)
    parts = (
        (wood, material(rng, "wood")),
        (mattress, material(rng, "fabric", BRIGHT[3:])),
        (blanket, material(rng, "fabric", CLOTHS)),
    )
    spots = (0.0,) if width < 1.3 else (-half / 2, half / 2)
    pillows = tuple(_pillow(rng, (x, 0.32, 0.61), (0.29, 0.2, 0.09)) for x in spots)
    return Item(width, depth, (thing(SemanticClass.BED, *parts), *pillows))


def table(rng: Rng, width: float, depth: float, height: float) -> Thing:
    """Return a table: a top, an apron, four legs."""
    half = width / 2
    top = box((-half, 0, height - 0.035), (half, depth, height))
    apron = box((-half + 0.05, 0.05, height - 0.11), (half - 0.05, depth - 0.05, height - 0.035))
    return thing(
        SemanticClass.TABLE, (top + apron + legs(width, 0, depth, height - 0.035, 0.035), material(rng, "wood"))
    )


def coffee_table(rng: Rng) -> Item:
    """Return a low table with books on it."""
    width = float(rng.uniform(0.8, 1.1))
    return Item(
        width, 0.55, (table(rng, width, 0.55, 0.42), _book_pile(rng, (-0.2, 0.2, 0.42)), _vase(rng, (0.2, 0.3, 0.42)))
    )


def _book_pile(rng: Rng, corner: Vector) -> Thing:
    x, y, z = corner
    parts = []
    for i in range(int(rng.integers(2, 5))):
        low = (x + float(rng.uniform(-0.02, 0.02)), y + float(rng.uniform(-0.02, 0.02)), z + 0.035 * i)
        parts.append((box(low, (low[0] + 0.26, low[1] + 0.19, low[2] + 0.034)), material(rng, "painting", BRIGHT)))
    return thing(SemanticClass.OBJECTS, *parts)


def _vase(rng: Rng, foot: Vector) -> Thing:
    profile = ((0.04, 0.0), (0.075, 0.07), (0.03, 0.18), (0.045, 0.22))
    return thing(SemanticClass.OBJECTS, (lathe(foot, profile), material(rng, "fabric", BRIGHT)))


def lounge(rng: Rng) -> Item:
    """Return a sofa with a rug and a low table before it."""
    couch, low = sofa(rng), coffee_table(rng)
    rug = thing(
        SemanticClass.FLOOR, (box((-0.85, 0.75, 0.0), (0.85, 1.95, 0.012)), material(rng, "carpet", CLOTHS + BRIGHT))
    )
    return Item(couch.width, 1.95, (*couch.things, rug, *low.moved(quarter_turn(0, (0, 1.25), 0.012))))


def dining_set(rng: Rng) -> Item:
    """Return a table with four chairs tucked half under it."""
    width, height = float(rng.uniform(1.3, 1.6)), 0.75
    room = 0.3
    pieces = [table(rng, width, 0.85, height).moved(quarter_turn(0, (0, room))), _vase(rng, (0.1, room + 0.4, height))]
    pieces.append(_fruit_bowl(rng, (-0.3, room + 0.45, height)))
    style = (material(rng, "wood"), material(rng, "fabric", CLOTHS), float(rng.uniform(0.85, 1.0)))
    for x in (-width / 4, width / 4):
        pieces += _chair(rng, *style).moved(quarter_turn(0, (x, 0.02)))
        pieces += _chair(rng, *style).moved(quarter_turn(2, (x, 2 * room + 0.83)))
    return Item(width, 2 * room + 0.85, tuple(pieces))


def small_dining_set(rng: Rng) -> Item:
    """Return a small table at the wall with a chair on either side of its front."""
    top = table(rng, 0.9, 0.7, 0.75)
    seat = chair(rng).moved(quarter_turn(2, (0, 1.0)))
    return Item(0.9, 1.02, (top, *seat, _fruit_bowl(rng, (0, 0.3, 0.75))))


def _fruit_bowl(rng: Rng, foot: Vector) -> Thing:
    bowl = lathe(foot, ((0.06, 0.0), (0.15, 0.07), (0.14, 0.07), (0.05, 0.02), (0.0, 0.02)))
    fruit = [
        (
            cushion((foot[0] + dx, foot[1] + dy, foot[2] + 0.07), (0.04, 0.04, 0.04), 1, 6),
            material(rng, "smooth", BRIGHT),
        )
        for dx, dy in ((0, 0.05), (0.05, -0.02), (-0.05, -0.02))
    ]
    return thing(SemanticClass.OBJECTS, (bowl, material(rng, "wood")), *fruit)


def desk(rng: Rng) -> Item:
    """Return a desk with a monitor, a keyboard, a lamp, books, and a chair before it."""
    width, height = float(rng.uniform(1.2, 1.5)), 0.74
    seat = chair(rng).moved(quarter_turn(2, (0, 1.1)))
    things = (table(rng, width, 0.65, height), _screen(rng, (0, 0.2, height), 0.58, 0.34), _keyboard(rng, height))
    extra = (_desk_lamp(rng, (-width / 2 + 0.15, 0.2, height)), _book_pile(rng, (width / 2 - 0.32, 0.12, height)))
    return Item(width, 1.12, things + extra + seat)


def _screen(rng: Rng, foot: Vector, width: float, height: float) -> Thing:
    x, y, z = foot
    black = Material("smooth", (0.02, 0.02, 0.022), seed=int(rng.integers(1 << 30)))
    case = box((x - width / 2, y, z + 0.08), (x + width / 2, y + 0.045, z + 0.08 + height))
    stand = box((x - 0.03, y, z + 0.015), (x + 0.03, y + 0.03, z + 0.1)) + box(
        (x - 0.14, y - 0.08, z), (x + 0.14, y + 0.12, z + 0.015)
    )
    glass = rectangle((x + width / 2 - 0.02, y + 0.047, z + 0.1), (0.04 - width, 0, 0), (0, 0, height - 0.04))
    picture = Material(
        "painting" if rng.random() < 0.5 else "screen", (0.04, 0.045, 0.06), seed=int(rng.integers(1 << 30)), glows=True
    )
    return thing(SemanticClass.TVS, (case + stand, black), ((glass,), picture))


def _keyboard(rng: Rng, height: float) -> Thing:
    keys = Material("fabric", (0.07, 0.07, 0.08), (0.4, 0.4, 0.4), int(rng.integers(1 << 30)))
    return thing(SemanticClass.OBJECTS, (box((-0.22, 0.4, height), (0.22, 0.54, height + 0.025)), keys))


def _desk_lamp(rng: Rng, foot: Vector) -> Thing:
    metal = material(rng, "smooth", BRIGHT)
    stem = rod(foot, 0.075, 0.02, 12) + rod(foot, 0.012, 0.4)
    shade = lathe((foot[0], foot[1], foot[2] + 0.32), ((0.13, 0.0), (0.08, 0.16), (0.0, 0.16)))
    return thing(SemanticClass.OBJECTS, (stem, metal), (shade, material(rng, "fabric", BRIGHT[3:] + BRIGHT[:1])))


def floor_lamp(rng: Rng) -> Item:
    """Return a standing lamp: foot, pole, shade."""
    stem = rod((0, 0.22, 0), 0.15, 0.025, 12) + rod((0, 0.22, 0), 0.015, 1.5)
    shade = lathe((0, 0.22, 1.35), ((0.21, 0.0), (0.15, 0.3), (0.0, 0.3)))
    parts = ((stem, material(rng, "smooth", BRIGHT)), (shade, material(rng, "fabric", BRIGHT[3:] + BRIGHT[:1])))
    return Item(0.44, 0.44, (thing(SemanticClass.OBJECTS, *parts),))


def tv_stand(rng: Rng) -> Item:
    """Return a low cabinet with a television on it."""
    width = float(rng.uniform(1.3, 1.7))
    return Item(width, 0.45, (_cabinet(rng, width, 0.42, 0.5, 3), _screen(rng, (0, 0.18, 0.5), 1.1, 0.64)))


def _cabinet(rng: Rng, width: float, depth: float, height: float, doors: int) -> Thing:
    """Return a cabinet: body, plinth, top, doors with handles."""
    half, wood = width / 2, material(rng, "wood")
    body = box((-half, 0.01, 0.06), (half, depth - 0.02, height - 0.03)) + box(
        (-half + 0.03, 0.01, 0), (half - 0.03, depth - 0.06, 0.06)
    )
    top = box((-half - 0.01, 0.005, height - 0.03), (half + 0.01, depth + 0.01, height))
    front: list[Sheet] = []
    handles: list[Sheet] = []
    step = width / doors
    for i in range(doors):
        x = -half + i * step
        front += box((x + 0.008, depth - 0.02, 0.08), (x + step - 0.008, depth, height - 0.045))
        handles += box((x + step - 0.07, depth, height / 2 + 0.1), (x + step - 0.05, depth + 0.02, height / 2 + 0.24))
    metal = Material("smooth", (0.45, 0.45, 0.45))
    return thing(
        SemanticClass.FURNITURE, (body + top, wood), (tuple(front), material(rng, "panels")), (tuple(handles), metal)
    )


def sideboard(rng: Rng) -> Item:
    """Return a chest with a plant and a framed picture on it."""
    width, height = float(rng.uniform(0.9, 1.3)), float(rng.uniform(0.75, 0.95))
    return Item(
        width,
        0.46,
        (
            _cabinet(rng, width, 0.43, height, 2),
            _potted_plant(rng, (-0.2, 0.22, height), 0.35),
            _book_pile(rng, (0.08, 0.12, height)),
        ),
    )


def nightstand(rng: Rng) -> Item:
    """Return a bedside chest with a lamp."""
    return Item(0.5, 0.45, (_cabinet(rng, 0.46, 0.4, 0.5, 1), _desk_lamp(rng, (0, 0.2, 0.5))))


def wardrobe(rng: Rng) -> Item:
    """Return a wardrobe of two or three doors."""
    doors = int(rng.integers(2, 4))
    return Item(0.5 * doors + 0.02, 0.62, (_cabinet(rng, 0.5 * doors, 0.58, float(rng.uniform(1.9, 2.2)), doors),))


def bookshelf(rng: Rng) -> Item:
    """Return a shelf with rows of books."""
    width, height, depth = float(rng.uniform(0.8, 1.2)), float(rng.uniform(1.6, 2.1)), 0.32
    half, boards = width / 2, int(rng.integers(4, 6))
    shelf = list(
        box((-half, 0.01, 0), (-half + 0.03, depth, height))
        + box((half - 0.03, 0.01, 0), (half, depth, height))
        + box((-half, 0.01, 0), (half, 0.025, height))
    )
    levels = np.linspace(0.05, height - 0.03, boards + 1)
    for z in levels:
        shelf += box((-half + 0.03, 0.025, z), (half - 0.03, depth, z + 0.03))
    rows = [_book_row(rng, half, float(z) + 0.03, float(levels[1] - levels[0]) - 0.03) for z in levels[:-1]]
    return Item(width, depth, (thing(SemanticClass.FURNITURE, (tuple(shelf), material(rng, "wood"))), *rows))


def _book_row(rng: Rng, half: float, z: float, room: float) -> Thing:
    end = float(rng.uniform(0.0, half - 0.05))
    split = float(rng.uniform(-half + 0.25, end))
    first = box((-half + 0.04, 0.06, z), (split, 0.25, z + room * float(rng.uniform(0.65, 0.9))))
    second = box((split, 0.06, z), (end, 0.23, z + room * float(rng.uniform(0.5, 0.9))))
    return thing(SemanticClass.OBJECTS, (first, material(rng, "books")), (second, material(rng, "books")))


def kitchen_row(rng: Rng) -> Item:
    """Return a kitchen counter with a hob and things on it, and cabinets above."""
    units = int(rng.integers(3, 5))
    width, height = 0.6 * units, 0.9
    half = width / 2
    worktop = box((-half, 0.005, height - 0.04), (half, 0.62, height))
    base = _cabinet(rng, width, 0.6, height - 0.04, units)
    stone = thing(
        SemanticClass.FURNITURE,
        (worktop, material(rng, "tiles", ((0.4, 0.4, 0.42), (0.25, 0.22, 0.2), (0.6, 0.58, 0.55)))),
    )
    upper = _cabinet(rng, width, 0.34, 0.65, units).moved(quarter_turn(0, (0, 0), 1.45))
    hob = thing(
        SemanticClass.OBJECTS,
        (
            box((half - 0.58, 0.08, height), (half - 0.06, 0.55, height + 0.012)),
            Material("screen", (0.05, 0.05, 0.05), seed=int(rng.integers(1 << 30))),
        ),
    )
    pot = thing(
        SemanticClass.OBJECTS,
        (
            lathe((half - 0.2, 0.4, height + 0.012), ((0.1, 0), (0.1, 0.14), (0.0, 0.15))),
            material(rng, "smooth", BRIGHT),
        ),
    )
    return Item(
        width,
        0.64,
        (
            base,
            stone,
            upper,
            hob,
            pot,
            _vase(rng, (-half + 0.2, 0.25, height)),
            _fruit_bowl(rng, (-half + 0.6, 0.35, height)),
        ),
    )


def fridge(rng: Rng) -> Item:
    """Return a refrigerator: body, two doors, handles."""
    steel = Material("smooth", (0.62, 0.63, 0.65), seed=int(rng.integers(1 << 30)))
    body = box((-0.3, 0.02, 0.03), (0.3, 0.58, 1.8))
    doors = box((-0.3, 0.585, 0.05), (0.3, 0.63, 1.1)) + box((-0.3, 0.585, 1.12), (0.3, 0.63, 1.8))
    handles = box((-0.26, 0.63, 0.75), (-0.23, 0.66, 1.05)) + box((-0.26, 0.63, 1.16), (-0.23, 0.66, 1.46))
    notes = tuple(
        (box((x, 0.63, z), (x + 0.1, 0.633, z + 0.13)), material(rng, "painting", BRIGHT))
        for x, z in ((0.05, 1.4), (0.0, 0.8), (-0.1, 1.6))
    )
    return Item(
        0.62,
        0.66,
        (thing(SemanticClass.OBJECTS, (body + doors, steel), (handles, Material("smooth", (0.2, 0.2, 0.2))), *notes),),
    )


def plant(rng: Rng) -> Item:
    """Return a large plant in a pot."""
    return Item(0.5, 0.5, (_potted_plant(rng, (0, 0.25, 0), float(rng.uniform(0.9, 1.3))),))


def _potted_plant(rng: Rng, foot: Vector, height: float) -> Thing:
    x, y, z = foot
    pot_height, radius = 0.25 * height, 0.13 * height + 0.02
    pot = lathe(foot, ((0.7 * radius, 0.0), (radius, pot_height), (0.0, 0.9 * pot_height)))
    leaves: list[Sheet] = []
    for _ in range(14):
        angle, rise, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.0) * height, 1.5 * radius
        tip = (float(np.cos(angle) * reach), float(np.sin(angle) * reach), float(rise - pot_height))
        side = (float(-0.3 * np.sin(angle) * reach), float(0.3 * np.cos(angle) * reach), 0.0)
        leaves.append(rectangle((x - side[0] / 2, y - side[1] / 2, z + 0.9 * pot_height), side, tip))
    stem = rod((x, y, z + 0.8 * pot_height), 0.015, 0.6 * height, 6)
    green = Material("leaves", (0.1, 0.28, 0.07), seed=int(rng.integers(1 << 30)))
    return thing(
        SemanticClass.OBJECTS,
        (pot, material(rng, "fabric", BRIGHT)),
        (tuple(leaves), green),
        (stem, material(rng, "wood")),
    )


def basket(rng: Rng) -> Item:
    """Return a wicker basket with a cushion in it."""
    weave = lathe((0, 0.25, 0), ((0.18, 0.0), (0.22, 0.3), (0.2, 0.3), (0.17, 0.05), (0.0, 0.05)))
    parts = (
        (weave, material(rng, "fabric")),
        (cushion((0, 0.25, 0.3), (0.16, 0.15, 0.08), 0.7), material(rng, "fabric", BRIGHT)),
    )
    return Item(0.46, 0.48, (thing(SemanticClass.OBJECTS, *parts),))


REQUIRED: dict[str, tuple[tuple[Callable[[Rng], Item], ...], ...]] = {
    "living": ((lounge, sofa), (tv_stand,), (bookshelf,)),
    "bedroom": ((double_bed, single_bed), (wardrobe,), (nightstand,)),
    "kitchen": ((kitchen_row,), (dining_set, small_dining_set), (fridge,)),
    "office": ((desk,), (bookshelf,), (sideboard,)),
}
"""What a kind of room needs; of each group the first that finds a place."""
OPTIONAL: dict[str, tuple[Callable[[Rng], Item], ...]] = {
    "living": (armchair, floor_lamp, plant, sideboard, basket),
    "bedroom": (chair, nightstand, sideboard, plant, basket),
    "kitchen": (plant, sideboard, basket),
    "office": (armchair, floor_lamp, plant, basket),
}
