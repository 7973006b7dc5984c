"""Tables with what stands on and around them."""

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item, legs
from pipeline.tours.ornaments import book_pile, desk_lamp, fruit_bowl, keyboard, screen, vase
from pipeline.tours.palette import BRIGHT, CLOTHS, Rng, material
from pipeline.tours.seating import _chair, chair, sofa
from pipeline.tours.sizes import USUAL, Sizes
from pipeline.tours.surfaces import Thing, box, quarter_turn, thing


def lounge(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a sofa with a rug and a low table before it."""
    couch, low = sofa(rng, sizes), coffee_table(rng, sizes)
    rug = thing(
        SemanticClass.FLOOR, (box((-0.85, 0.75, 0.0), (0.85, 1.95, 0.012)), material(rng, "carpet", CLOTHS + BRIGHT))
    )
    return Item(couch.width, 1.95, (*couch.things, rug, *low.moved(quarter_turn(0, (0, 1.25), 0.012))))


def coffee_table(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a low table with books on it."""
    width, height = float(rng.uniform(0.8, 1.1)), sizes.of_a_piece(sizes.low_table, rng)
    things = (
        table(rng, width, 0.55, height),
        book_pile(rng, (-0.2, 0.2, height)),
        vase(rng, (0.2, 0.3, height)),
    )
    return Item(width, 0.55, things)


def dining_set(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a table with four chairs tucked half under it."""
    width, height = float(rng.uniform(1.3, 1.6)), sizes.of_a_piece(sizes.table, rng)
    room = 0.3
    pieces = [table(rng, width, 0.85, height).moved(quarter_turn(0, (0, room))), vase(rng, (0.1, room + 0.4, height))]
    pieces.append(fruit_bowl(rng, (-0.3, room + 0.45, height)))
    style = (
        material(rng, "wood"),
        material(rng, "fabric", CLOTHS),
        float(rng.uniform(0.85, 1.0)),
        sizes.of_a_piece(sizes.chair, rng),
    )
    for x in (-width / 4, width / 4):
        pieces += _chair(rng, *style).moved(quarter_turn(0, (x, 0.02)))
        pieces += _chair(rng, *style).moved(quarter_turn(2, (x, 2 * room + 0.83)))
    return Item(width, 2 * room + 0.85, tuple(pieces))


def small_dining_set(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a small table at the wall with a chair on either side of its front."""
    height = sizes.of_a_piece(sizes.table, rng)
    top = table(rng, 0.9, 0.7, height)
    seat = chair(rng, sizes).moved(quarter_turn(2, (0, 1.0)))
    return Item(0.9, 1.02, (top, *seat, fruit_bowl(rng, (0, 0.3, height))))


def desk(rng: Rng, sizes: Sizes = USUAL) -> Item:
    """Return a desk with a monitor, a keyboard, a lamp, books, and a chair before it."""
    width, height = float(rng.uniform(1.2, 1.5)), sizes.of_a_piece(sizes.desk, rng)
    seat = chair(rng, sizes).moved(quarter_turn(2, (0, 1.1)))
    things = (table(rng, width, 0.65, height), screen(rng, (0, 0.2, height), 0.58, 0.34), keyboard(rng, height))
    extra = (desk_lamp(rng, (-width / 2 + 0.15, 0.2, height)), book_pile(rng, (width / 2 - 0.32, 0.12, height)))
    return Item(width, 1.12, things + extra + seat)


def table(rng: Rng, width: float, depth: float, height: float) -> Thing:
    """Return a table: a top, an apron, four legs."""
    half = width / 2
    top = box((-half, 0, height - 0.035), (half, depth, height))
    apron = box((-half + 0.05, 0.05, height - 0.11), (half - 0.05, depth - 0.05, height - 0.035))
    return thing(
        SemanticClass.TABLE, (top + apron + legs(width, 0, depth, height - 0.035, 0.035), material(rng, "wood"))
    )
