"""Objects that lie and stand about: pillows, books, vases, lamps, plants, and screens on their stands."""

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.materials import Material
from pipeline.tours.palette import BRIGHT, Rng, material
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import Sheet, Thing, Vector, box, cushion, lathe, rectangle, rod, thing


def pillow(rng: Rng, centre: Vector, radii: Vector = (0.2, 0.08, 0.19)) -> Thing:
    """Return a pillow."""
    return thing(SemanticClass.OBJECTS, (cushion(centre, radii, 0.7), material(rng, "fabric", BRIGHT)))


def book_pile(rng: Rng, corner: Vector) -> Thing:
    """Return a pile of books whose lowest corner is ``corner``."""
    x, y, z = corner
    parts = []
    for i in range(int(rng.integers(2, 5))):
        low = (x + float(rng.uniform(-0.02, 0.02)), y + float(rng.uniform(-0.02, 0.02)), z + 0.035 * i)
        parts.append((box(low, (low[0] + 0.26, low[1] + 0.19, low[2] + 0.034)), material(rng, "painting", BRIGHT)))
    return thing(SemanticClass.OBJECTS, *parts)


def vase(rng: Rng, foot: Vector) -> Thing:
    """Return a vase."""
    profile = ((0.04, 0.0), (0.075, 0.07), (0.03, 0.18), (0.045, 0.22))
    return thing(SemanticClass.OBJECTS, (lathe(foot, profile), material(rng, "fabric", BRIGHT)))


def fruit_bowl(rng: Rng, foot: Vector) -> Thing:
    """Return a bowl with three fruits."""
    bowl = lathe(foot, ((0.06, 0.0), (0.15, 0.07), (0.14, 0.07), (0.05, 0.02), (0.0, 0.02)))
    fruit = [
        (
            cushion((foot[0] + dx, foot[1] + dy, foot[2] + 0.07), (0.04, 0.04, 0.04), 1, 6),
            material(rng, "smooth", BRIGHT),
        )
        for dx, dy in ((0, 0.05), (0.05, -0.02), (-0.05, -0.02))
    ]
    return thing(SemanticClass.OBJECTS, (bowl, material(rng, "wood")), *fruit)


def keyboard(rng: Rng, height: float) -> Thing:
    """Return a keyboard on a desk ``height`` metres high."""
    keys = Material("fabric", (0.07, 0.07, 0.08), (0.4, 0.4, 0.4), int(rng.integers(1 << 30)))
    return thing(SemanticClass.OBJECTS, (box((-0.22, 0.4, height), (0.22, 0.54, height + 0.025)), keys))


def desk_lamp(rng: Rng, foot: Vector) -> Thing:
    """Return a small lamp with a shade."""
    metal = material(rng, "smooth", BRIGHT)
    stem = rod(foot, 0.075, 0.02, 12) + rod(foot, 0.012, 0.4)
    shade = lathe((foot[0], foot[1], foot[2] + 0.32), ((0.13, 0.0), (0.08, 0.16), (0.0, 0.16)))
    return thing(SemanticClass.OBJECTS, (stem, metal), (shade, material(rng, "fabric", BRIGHT[3:] + BRIGHT[:1])))


def floor_lamp(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a standing lamp: foot, pole, shade."""
    stem = rod((0, 0.22, 0), 0.15, 0.025, 12) + rod((0, 0.22, 0), 0.015, 1.5)
    shade = lathe((0, 0.22, 1.35), ((0.21, 0.0), (0.15, 0.3), (0.0, 0.3)))
    parts = ((stem, material(rng, "smooth", BRIGHT)), (shade, material(rng, "fabric", BRIGHT[3:] + BRIGHT[:1])))
    return Item(0.44, 0.44, (thing(SemanticClass.OBJECTS, *parts),))


def screen(rng: Rng, foot: Vector, width: float, height: float) -> Thing:
    """Return a television or monitor ``width`` x ``height`` metres on its stand, facing +y."""
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


def plant(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a large plant in a pot."""
    return Item(0.5, 0.5, (potted_plant(rng, (0, 0.25, 0), float(rng.uniform(0.9, 1.3))),))


def potted_plant(rng: Rng, foot: Vector, height: float) -> Thing:
    """Return a plant ``height`` metres high in its pot."""
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


def basket(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a wicker basket with a cushion in it."""
    weave = lathe((0, 0.25, 0), ((0.18, 0.0), (0.22, 0.3), (0.2, 0.3), (0.17, 0.05), (0.0, 0.05)))
    parts = (
        (weave, material(rng, "fabric")),
        (cushion((0, 0.25, 0.3), (0.16, 0.15, 0.08), 0.7), material(rng, "fabric", BRIGHT)),
    )
    return Item(0.46, 0.48, (thing(SemanticClass.OBJECTS, *parts),))
