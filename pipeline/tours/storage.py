"""Cabinets, shelves and kitchens."""

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.materials import Material
from pipeline.tours.ornaments import book_pile, desk_lamp, fruit_bowl, potted_plant, screen, vase
from pipeline.tours.palette import BRIGHT, Rng, material
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import Sheet, Thing, box, lathe, quarter_turn, thing


def tv_stand(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a low cabinet with a television on it."""
    width = float(rng.uniform(1.3, 1.7))
    return Item(width, 0.45, (cabinet(rng, width, 0.42, 0.5, 3), screen(rng, (0, 0.18, 0.5), 1.1, 0.64)))


def sideboard(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a chest with a plant and a framed picture on it."""
    width, height = float(rng.uniform(0.9, 1.3)), float(rng.uniform(0.75, 0.95))
    return Item(
        width,
        0.46,
        (
            cabinet(rng, width, 0.43, height, 2),
            potted_plant(rng, (-0.2, 0.22, height), 0.35),
            book_pile(rng, (0.08, 0.12, height)),
        ),
    )


def nightstand(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a bedside chest with a lamp."""
    return Item(0.5, 0.45, (cabinet(rng, 0.46, 0.4, 0.5, 1), desk_lamp(rng, (0, 0.2, 0.5))))


def wardrobe(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a wardrobe of two or three doors."""
    doors = int(rng.integers(2, 4))
    height = sizes.at_most(float(rng.uniform(1.9, 2.2)))
    return Item(0.5 * doors + 0.02, 0.62, (cabinet(rng, 0.5 * doors, 0.58, height, doors),))


def cabinet(rng: Rng, width: float, depth: float, height: float, doors: int) -> Thing:
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


def bookshelf(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a shelf with rows of books."""
    width, height, depth = float(rng.uniform(0.8, 1.2)), sizes.at_most(float(rng.uniform(1.6, 2.1))), 0.32
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


def kitchen_row(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a kitchen counter with a hob and things on it, and cabinets above."""
    units = int(rng.integers(3, 5))
    width, height = 0.6 * units, sizes.of_a_piece(sizes.counter, rng)
    half, above = width / 2, min(1.45, sizes.at_most(2.1) - 0.65)
    worktop = box((-half, 0.005, height - 0.04), (half, 0.62, height))
    base = cabinet(rng, width, 0.6, height - 0.04, units)
    stone = thing(
        SemanticClass.FURNITURE,
        (worktop, material(rng, "tiles", ((0.4, 0.4, 0.42), (0.25, 0.22, 0.2), (0.6, 0.58, 0.55)))),
    )
    upper = cabinet(rng, width, 0.34, 0.65, units).moved(quarter_turn(0, (0, 0), above))
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
            vase(rng, (-half + 0.2, 0.25, height)),
            fruit_bowl(rng, (-half + 0.6, 0.35, height)),
        ),
    )


def fridge(rng: Rng, _sizes: Sizes = USUAL) -> Item:
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
