"""Furniture of houses that are only scored: no builder of it, and none that it calls, builds for another house."""

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.furniture import Catalogue
from pipeline.tours.held_out.ornaments import (
    arc_lamp,
    bolster,
    cactus,
    carton,
    cartons,
    easel_screen,
    freezer,
    globe,
    hob_plate,
    jug,
)
from pipeline.tours.item import Item
from pipeline.tours.materials import Material
from pipeline.tours.palette import BRIGHT, CLOTHS, Rng, material
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import Sheet, Thing, box, cushion, lathe, quarter_turn, rod, thing


def bucket_chair(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a round seat with a curved back on one central foot."""
    seat, cloth = sizes.of_a_piece(sizes.chair, rng), material(rng, "fabric", BRIGHT)
    foot = rod((0, 0.25, 0), 0.22, 0.03, 12) + rod((0, 0.25, 0), 0.03, seat - 0.08)
    bowl = lathe((0, 0.25, seat - 0.08), ((0.05, 0.0), (0.22, 0.06), (0.0, 0.08)))
    back = cushion((0, 0.06, seat + 0.2), (0.22, 0.05, 0.24), 0.9)
    return Item(0.5, 0.5, (thing(SemanticClass.CHAIR, (bowl + back, cloth), (foot, material(rng, "smooth", BRIGHT))),))


def wing_chair(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a high upholstered chair with wings, on a skirt down to the floor."""
    seat, cloth = sizes.of_a_piece(sizes.sofa, rng), material(rng, "fabric", CLOTHS)
    skirt = box((-0.36, 0.08, 0.0), (0.36, 0.74, seat - 0.12))
    parts = cushion((0, 0.44, seat - 0.05), (0.32, 0.3, 0.1)) + cushion((0, 0.12, seat + 0.38), (0.34, 0.1, 0.44), 0.3)
    wings = tuple(s for x in (-0.33, 0.33) for s in cushion((x, 0.24, seat + 0.4), (0.05, 0.16, 0.3), 0.6))
    return Item(0.78, 0.78, (thing(SemanticClass.CHAIR, (skirt + parts + wings, cloth)),))


def chaise(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a sofa with one arm, a back along half of it, and a bolster."""
    width, seat = float(rng.uniform(1.7, 2.1)), sizes.of_a_piece(sizes.sofa, rng)
    half, cloth = width / 2, material(rng, "fabric", CLOTHS)
    body = cushion((0, 0.45, (seat + 0.12) / 2), (half, 0.42, (seat - 0.12) / 2), 0.25)
    back = cushion((-half / 2, 0.1, seat + 0.2), (half / 2, 0.09, 0.3), 0.5)
    arm = cushion((0.1 - half, 0.45, seat + 0.12), (0.1, 0.4, 0.2), 0.8)
    feet = tuple(s for x in (0.1 - half, half - 0.1) for y in (0.15, 0.75) for s in rod((x, y, 0), 0.04, 0.16, 6))
    couch = thing(SemanticClass.SOFA, (body + back + arm, cloth), (feet, material(rng, "wood")))
    return Item(width, 0.9, (couch, bolster(rng, (0.35 - half, 0.4, seat + 0.09))))


def block_sofa(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a sofa of cubes without feet, its back low and thick."""
    blocks, seat = int(rng.integers(2, 4)), sizes.of_a_piece(sizes.sofa, rng)
    width, cloth = 0.75 * blocks, material(rng, "fabric", BRIGHT)
    left = -width / 2
    cubes = tuple(
        s for i in range(blocks) for s in box((left + 0.75 * i + 0.01, 0.3, 0.0), (left + 0.75 * i + 0.74, 1.0, seat))
    )
    back = box((left, 0.02, 0.0), (-left, 0.29, seat + 0.25))
    return Item(width, 1.02, (thing(SemanticClass.SOFA, (cubes + back, cloth)), bolster(rng, (0.1, 0.4, seat + 0.09))))


def platform_bed(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a mattress on a wide low platform, without a headboard."""
    half, top = float(rng.uniform(0.6, 0.8)), sizes.of_a_piece(sizes.bed, rng) - 0.15
    platform = box((-half - 0.12, 0.02, 0.0), (half + 0.12, 2.2, top - 0.2))
    mattress = cushion((0, 1.08, top - 0.1), (half, 1.0, 0.12), 0.15)
    bed = thing(SemanticClass.BED, (platform, material(rng, "panels")), (mattress, material(rng, "fabric", BRIGHT)))
    return Item(2 * half + 0.26, 2.22, (bed, bolster(rng, (0, 0.25, top + 0.09), 1.6 * half)))


def bunk_bed(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return two beds above one another between four posts."""
    high = sizes.at_most(1.7)
    posts = tuple(s for x in (-0.5, 0.43) for y in (0.02, 2.0) for s in box((x, y, 0.0), (x + 0.07, y + 0.07, high)))
    decks = tuple(s for z in (0.3, high - 0.4) for s in box((-0.48, 0.05, z), (0.48, 2.04, z + 0.08)))
    soft = tuple(s for z in (0.45, high - 0.25) for s in cushion((0, 1.05, z), (0.45, 0.95, 0.08), 0.2))
    parts = ((posts + decks, material(rng, "wood")), (soft, material(rng, "fabric", BRIGHT)))
    return Item(1.02, 2.1, (thing(SemanticClass.BED, *parts),))


def round_table(rng: Rng, radius: float, height: float) -> Thing:
    """Return a round table on one foot; its middle lies ``radius`` from the wall."""
    top, foot = rod((0, radius, height - 0.04), radius, 0.04, 16), rod((0, radius, 0), 0.06, height - 0.04)
    base = lathe((0, radius, 0), ((0.3, 0.0), (0.08, 0.08), (0.0, 0.08)))
    return thing(SemanticClass.TABLE, (top + foot + base, material(rng, "wood")))


def breakfast(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a round table with two bucket chairs before it and a jug on it."""
    radius, height = float(rng.uniform(0.45, 0.6)), sizes.of_a_piece(sizes.table, rng)
    chairs = [
        piece
        for x in (-0.35, 0.35)
        for piece in bucket_chair(rng, sizes).moved(quarter_turn(2, (x, 2 * radius + 0.55)))
    ]
    table = round_table(rng, radius, height)
    return Item(max(2 * radius, 1.22), 2 * radius + 0.56, (table, jug(rng, (0.1, radius, height)), *chairs))


def trestle_desk(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a board on two trestles with two screens, and a bucket chair before it."""
    width, height = float(rng.uniform(1.4, 1.8)), sizes.of_a_piece(sizes.desk, rng)
    board = box((-width / 2, 0.0, height - 0.03), (width / 2, 0.7, height))
    trestles = tuple(
        s for x in (0.25 - width / 2, width / 2 - 0.31) for s in box((x, 0.05, 0.0), (x + 0.06, 0.65, height - 0.03))
    )
    table = thing(SemanticClass.TABLE, (board + trestles, material(rng, "wood")))
    screens = [easel_screen(rng, (x, 0.15, height + 0.05), 0.5, 0.3) for x in (-0.28, 0.28)]
    chair = bucket_chair(rng, sizes).moved(quarter_turn(2, (0, 1.2)))
    return Item(width, 1.22, (table, *screens, globe(rng, (width / 2 - 0.2, 0.45, height)), *chair))


def media_wall(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a bench of drawers on the floor below a large screen that stands on it."""
    width = float(rng.uniform(1.6, 2.2))
    return Item(width, 0.42, (drawers(rng, width, 0.3, 2, 4), easel_screen(rng, (0, 0.2, 0.34), 1.3, 0.75)))


def drawers(rng: Rng, width: float, height: float, rows: int, columns: int) -> Thing:
    """Return a chest of drawers with round knobs, 0.4 m deep."""
    half, wood = width / 2, material(rng, "wood")
    body, fronts, knobs = box((-half, 0.01, 0.0), (half, 0.36, height)), list[Sheet](), list[Sheet]()
    across, up = width / columns, height / rows
    for i in range(rows):
        for j in range(columns):
            x, z = j * across - half, i * up
            fronts += box((x + 0.01, 0.36, z + 0.01), (x + across - 0.01, 0.385, z + up - 0.01))
            knobs += cushion((x + across / 2, 0.395, z + up / 2), (0.02, 0.015, 0.02), 1, 6)
    brass = Material("smooth", (0.5, 0.4, 0.2))
    return thing(SemanticClass.FURNITURE, (body, wood), (tuple(fronts), material(rng, "panels")), (tuple(knobs), brass))


def tall_chest(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a chest of five rows of drawers with a globe on it."""
    width, height = float(rng.uniform(0.7, 1.0)), float(rng.uniform(1.1, 1.35))
    return Item(width + 0.02, 0.42, (drawers(rng, width, height, 5, 2), globe(rng, (0, 0.2, height))))


def cube_shelf(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a grid of open cubes without a back, some with cartons in them."""
    columns, rows, side = int(rng.integers(2, 4)), int(rng.integers(3, 5)), 0.42
    width, height = columns * side + 0.03, sizes.at_most(rows * side + 0.03)
    rows = int((height - 0.03) / side)
    left = -width / 2
    boards = [s for i in range(rows + 1) for s in box((left, 0.02, i * side), (-left, 0.4, i * side + 0.03))]
    boards += [
        s
        for j in range(columns + 1)
        for s in box((left + j * side, 0.02, 0), (left + j * side + 0.03, 0.4, rows * side))
    ]
    cubes = [(i, j) for i in range(rows) for j in range(columns) if rng.random() < 0.6]
    filled = [carton(rng, (left + j * side + 0.07, 0.06, i * side + 0.03), 0.3) for i, j in cubes]
    return Item(width, 0.42, (thing(SemanticClass.FURNITURE, (tuple(boards), material(rng, "wood"))), *filled))


def clothes_rail(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return an open wardrobe: two frames, a rail, clothes on it and a board below."""
    width, height = float(rng.uniform(1.0, 1.5)), sizes.at_most(1.75)
    half = width / 2
    posts = tuple(s for x in (0.02 - half, half - 0.05) for s in box((x, 0.05, 0.0), (x + 0.03, 0.5, height)))
    frame = posts + box((-half, 0.26, height - 0.06), (half, 0.29, height - 0.03))
    frame += box((-half, 0.05, 0.12), (half, 0.5, 0.15))
    clothes = []
    for x in np.arange(0.12 - half, half - 0.15, 0.09).tolist():
        low = float(rng.uniform(0.5, 0.9))
        clothes.append((box((x, 0.08, low), (x + 0.05, 0.47, height - 0.08)), material(rng, "fabric", BRIGHT)))
    return Item(width, 0.54, (thing(SemanticClass.FURNITURE, (frame, material(rng, "smooth", BRIGHT)), *clothes),))


def galley(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a kitchen of drawers under a thick slab with open boards above, a hob and a jug."""
    width, height = float(rng.uniform(1.9, 2.6)), sizes.of_a_piece(sizes.counter, rng)
    half, above = width / 2, min(1.4, sizes.at_most(2.1) - 0.5)
    slab = thing(
        SemanticClass.FURNITURE, (box((-half, 0.0, height - 0.08), (half, 0.5, height)), material(rng, "tiles"))
    )
    shelves = tuple(s for z in (above, above + 0.35) for s in box((-half, 0.0, z), (half, 0.25, z + 0.04)))
    open_boards = thing(SemanticClass.FURNITURE, (shelves, material(rng, "wood")))
    things = (drawers(rng, width, height - 0.08, 3, 4), slab, open_boards)
    extra = (hob_plate(rng, (0.2, 0.25, height)), jug(rng, (0.3 - half, 0.2, height)))
    return Item(width, 0.54, (*things, *extra, carton(rng, (-0.3, 0.03, above + 0.04), 0.2)))


def corner_stool(rng: Rng, _sizes: Sizes = USUAL) -> Item:
    """Return a side table that is a drum, with a jug on it."""
    drum = lathe((0, 0.25, 0), ((0.2, 0.0), (0.15, 0.25), (0.22, 0.5), (0.0, 0.5)))
    return Item(0.5, 0.5, (thing(SemanticClass.TABLE, (drum, material(rng, "wood"))), jug(rng, (0, 0.25, 0.5))))


HELD_OUT = Catalogue(
    required={
        "living": ((chaise, block_sofa), (media_wall,), (corner_stool,)),
        "bedroom": ((platform_bed, bunk_bed), (clothes_rail,), (tall_chest,)),
        "kitchen": ((galley,), (breakfast,), (freezer,)),
        "office": ((trestle_desk,), (cube_shelf,), (tall_chest,)),
    },
    optional={
        "living": (wing_chair, arc_lamp, cactus, cube_shelf, block_sofa),
        "bedroom": (wing_chair, corner_stool, cactus, cartons),
        "kitchen": (cartons, cactus, cube_shelf),
        "office": (wing_chair, arc_lamp, cartons, corner_stool),
    },
)
