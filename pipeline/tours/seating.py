"""Chairs, sofas and beds."""

from dataclasses import replace

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item, legs
from pipeline.tours.materials import Material
from pipeline.tours.ornaments import pillow
from pipeline.tours.palette import BRIGHT, CLOTHS, Rng, material
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import box, cushion, thing


def chair(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a chair facing +y: seat, cushion, back of three slats, four legs."""
    wood, cloth, back = material(rng, "wood"), material(rng, "fabric", CLOTHS), float(rng.uniform(0.85, 1.0))
    return _chair(rng, wood, cloth, back, sizes.of_a_piece(sizes.chair, rng))


def _chair(rng: Rng, wood: Material, cloth: Material, back: float, seat_height: float) -> Item:
    width, depth, rise = 0.44, 0.46, seat_height - USUAL.chair
    back += rise
    slats = tuple(
        s for x in (-0.17, 0.0, 0.17) for s in box((x - 0.03, 0.01, 0.46 + rise), (x + 0.03, 0.03, back - 0.1))
    )
    rails = box((-width / 2, 0, 0.42 + rise), (width / 2, depth, 0.455 + rise)) + box(
        (-width / 2, 0, back - 0.12), (width / 2, 0.035, back)
    )
    seat = cushion((0, depth / 2, 0.475 + rise), (0.19, 0.2, 0.03))
    seed = int(rng.integers(1 << 30))
    timber = (rails + slats + legs(width, 0, depth, 0.42 + rise), replace(wood, seed=seed))
    return Item(width, depth, (thing(SemanticClass.CHAIR, timber, (seat, replace(cloth, seed=seed))),))


def armchair(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return an upholstered chair: seat, back, two arms, four feet."""
    cloth, width, depth = material(rng, "fabric", CLOTHS), 0.8, 0.8
    rise = sizes.of_a_piece(sizes.sofa, rng) - USUAL.sofa
    soft = (
        *cushion((0, 0.45, 0.32 + rise), (0.3, 0.33, 0.13)),
        *cushion((0, 0.13, 0.62 + rise), (0.32, 0.13, 0.33)),
        *cushion((-0.33, 0.42, 0.36 + rise), (0.07, 0.37, 0.24)),
        *cushion((0.33, 0.42, 0.36 + rise), (0.07, 0.37, 0.24)),
    )
    feet = (legs(width, 0.05, depth, max(0.14 + rise, 0.02)), material(rng, "wood"))
    return Item(width, depth, (thing(SemanticClass.CHAIR, (soft, cloth), feet), pillow(rng, (0.05, 0.3, 0.58 + rise))))


def sofa(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a sofa with arms, back, two or three seat cushions and pillows."""
    seats = int(rng.integers(2, 4))
    width, depth, cloth = 0.68 * seats + 0.36, 0.9, material(rng, "fabric", CLOTHS)
    left, rise = -width / 2 + 0.18, sizes.of_a_piece(sizes.sofa, rng) - USUAL.sofa
    foot = max(0.1 + rise, 0.02)
    body = [
        *box((-width / 2 + 0.1, 0.1, foot), (width / 2 - 0.1, depth - 0.05, 0.28 + rise)),
        *cushion((0, 0.13, 0.45 + rise), (width / 2, 0.13, 0.4), 0.3),
    ]
    for x in (-width / 2 + 0.1, width / 2 - 0.1):
        body += cushion((x, 0.45, 0.33 + rise), (0.1, 0.45, 0.27), 0.35)
    for i in range(seats):
        body += cushion((left + 0.68 * (i + 0.5), 0.56, 0.36 + rise), (0.34, 0.34, 0.1), 0.3)
        body += cushion((left + 0.68 * (i + 0.5), 0.3, 0.6 + rise), (0.33, 0.1, 0.22), 0.4)
    pillows = tuple(pillow(rng, (x, 0.46, 0.62 + rise)) for x in (left + 0.25, -left - 0.25))
    couch = thing(SemanticClass.SOFA, (tuple(body), cloth), (legs(width, 0.05, depth, foot), material(rng, "wood")))
    return Item(width, depth, (couch, *pillows))


def double_bed(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a bed for two with its head at the wall."""
    return _bed(rng, float(rng.choice([1.4, 1.6])), sizes)


def single_bed(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a bed for one with its head at the wall."""
    return _bed(rng, 0.95, sizes)


def _bed(rng: Rng, width: float, sizes: Sizes) -> Item:
    """Build headboard, frame, mattress, blanket and a pillow for each sleeper."""
    depth, half, rise = 2.1, width / 2, sizes.of_a_piece(sizes.bed, rng) - USUAL.bed
    foot = max(0.15 + rise, 0.02)
    wood = (
        box((-half, 0.02, min(0.1, foot)), (half, 0.08, 1.0 + rise))
        + box((-half, 0.08, foot), (half, depth, 0.32 + rise))
        + legs(width, 0, depth, foot)
    )
    mattress = cushion((0, 1.08, 0.42 + rise), (half - 0.02, 0.99, 0.14), 0.2)
    blanket = cushion((0, 1.38, 0.44 + rise), (half, 0.71, 0.16), 0.2)
    parts = (
        (wood, material(rng, "wood")),
        (mattress, material(rng, "fabric", BRIGHT[3:])),
        (blanket, material(rng, "fabric", CLOTHS)),
    )
    spots = (0.0,) if width < 1.3 else (-half / 2, half / 2)
    pillows = tuple(pillow(rng, (x, 0.32, 0.61 + rise), (0.29, 0.2, 0.09)) for x in spots)
    return Item(width, depth, (thing(SemanticClass.BED, *parts), *pillows))
