"""Chairs, sofas and beds."""

from dataclasses import replace

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item, legs
from pipeline.tours.materials import Material
from pipeline.tours.ornaments import pillow
from pipeline.tours.palette import BRIGHT, CLOTHS, Rng, material
from pipeline.tours.surfaces import box, cushion, thing


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
    return Item(width, depth, (thing(SemanticClass.CHAIR, (soft, cloth), feet), pillow(rng, (0.05, 0.3, 0.58))))


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
    pillows = tuple(pillow(rng, (x, 0.46, 0.62)) for x in (left + 0.25, -left - 0.25))
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
    pillows = tuple(pillow(rng, (x, 0.32, 0.61), (0.29, 0.2, 0.09)) for x in spots)
    return Item(width, depth, (thing(SemanticClass.BED, *parts), *pillows))
