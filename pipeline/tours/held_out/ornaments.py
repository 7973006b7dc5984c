"""Objects and screens of houses that are only scored."""

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.materials import Material
from pipeline.tours.palette import BRIGHT, Rng, material
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import Thing, Vector, box, cushion, lathe, rectangle, rod, thing


def bolster(rng: Rng, centre: Vector, length: float = 0.5) -> Thing:
    """Return a long round cushion across the wall's direction."""
    return thing(SemanticClass.OBJECTS, (cushion(centre, (length / 2, 0.09, 0.09), 0.9), material(rng, "fabric")))


def carton(rng: Rng, corner: Vector, side: float = 0.3) -> Thing:
    """Return a cube-shaped box whose lowest corner is ``corner``."""
    high = (corner[0] + side, corner[1] + side, corner[2] + 0.8 * side)
    return thing(SemanticClass.OBJECTS, (box(corner, high), material(rng, "books")))


def globe(rng: Rng, foot: Vector) -> Thing:
    """Return a ball on a stand."""
    x, y, z = foot
    ball = cushion((x, y, z + 0.24), (0.14, 0.14, 0.14), 1.0)
    return thing(SemanticClass.OBJECTS, (ball, material(rng, "painting", BRIGHT)), (rod(foot, 0.06, 0.12), _iron(rng)))


def jug(rng: Rng, foot: Vector) -> Thing:
    """Return a jug that is wide at its foot."""
    profile = ((0.09, 0.0), (0.1, 0.08), (0.04, 0.16), (0.06, 0.3))
    return thing(SemanticClass.OBJECTS, (lathe(foot, profile, 8), material(rng, "smooth", BRIGHT)))


def cactus(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a column of a plant with an arm, in a square tub."""
    tall = float(rng.uniform(1.0, 1.5))
    green = Material("leaves", (0.14, 0.26, 0.16), seed=int(rng.integers(1 << 30)))
    tub = box((-0.18, 0.07, 0.0), (0.18, 0.43, 0.35))
    column = cushion((0, 0.25, 0.3 + tall / 2), (0.09, 0.09, tall / 2), 0.8)
    arm = cushion((0.15, 0.25, 0.3 + 0.6 * tall), (0.06, 0.06, 0.2), 0.8)
    return Item(0.48, 0.5, (thing(SemanticClass.OBJECTS, (tub, material(rng, "tiles")), (column + arm, green)),))


def arc_lamp(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a lamp whose ball hangs from an arm on a slab."""
    slab, pole = box((-0.25, 0.05, 0.0), (-0.05, 0.35, 0.06)), rod((-0.15, 0.2, 0.0), 0.02, 1.7)
    arm = box((-0.15, 0.18, 1.66), (0.2, 0.22, 1.7))
    ball = (cushion((0.2, 0.2, 1.5), (0.15, 0.15, 0.15), 1.0), material(rng, "smooth", BRIGHT[3:]))
    return Item(0.72, 0.42, (thing(SemanticClass.OBJECTS, (slab + pole + arm, _iron(rng)), ball),))


def cartons(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a stack of three cartons."""
    places = ((-0.33, 0.05, 0.0, 0.36), (0.04, 0.08, 0.0, 0.3), (-0.2, 0.1, 0.29, 0.28))
    return Item(0.7, 0.44, tuple(carton(rng, (x, y, z), side) for x, y, z, side in places))


def easel_screen(rng: Rng, foot: Vector, width: float, height: float) -> Thing:
    """Return a screen on three legs, its lower edge at ``foot``, facing +y."""
    x, y, z = foot
    frame = box((x - width / 2, y - 0.03, z), (x + width / 2, y, z + height))
    glass = rectangle((x + width / 2 - 0.03, y + 0.003, z + 0.03), (0.06 - width, 0, 0), (0, 0, height - 0.06))
    lit = Material("screen", (0.05, 0.06, 0.09), seed=int(rng.integers(1 << 30)), glows=True)
    return thing(SemanticClass.TVS, (frame, _iron(rng)), ((glass,), lit))


def hob_plate(rng: Rng, corner: Vector) -> Thing:
    """Return two round plates to cook on, a pan on one of them."""
    x, y, z = corner
    plates = rod((x, y, z), 0.12, 0.02, 12) + rod((x + 0.3, y, z), 0.12, 0.02, 12)
    pan = lathe((x, y, z + 0.02), ((0.1, 0.0), (0.14, 0.06), (0.1, 0.02)))
    return thing(SemanticClass.OBJECTS, (plates, _iron(rng)), (pan, material(rng, "smooth", BRIGHT)))


def freezer(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a chest freezer, wide and low, with its lid."""
    width = float(rng.uniform(0.9, 1.2))
    white = Material("smooth", (0.66, 0.67, 0.68), seed=int(rng.integers(1 << 30)))
    body = box((-width / 2, 0.02, 0.03), (width / 2, 0.62, 0.82))
    lid = box((-width / 2 - 0.01, 0.01, 0.83), (width / 2 + 0.01, 0.64, 0.9))
    return Item(width + 0.04, 0.66, (thing(SemanticClass.OBJECTS, (body + lid, white)),))


def _iron(rng: Rng) -> Material:
    shade = float(np.round(rng.uniform(0.04, 0.12), 3))
    return Material("smooth", (shade, shade, shade), seed=int(rng.integers(1 << 30)))
