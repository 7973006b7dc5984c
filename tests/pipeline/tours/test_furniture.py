from collections.abc import Callable

import numpy as np
import pytest

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.tours.furnish import GAP
from pipeline.tours.furniture import OPTIONAL, ORDINARY, REQUIRED
from pipeline.tours.held_out.furniture import HELD_OUT
from pipeline.tours.item import Item
from pipeline.tours.layout import ROOM_ORDER, ROOM_SIDE
from pipeline.tours.palette import Rng

BUILDERS = sorted(ORDINARY.builders | HELD_OUT.builders, key=lambda build: build.__name__)
BUILDING = (SemanticClass.CEILING, SemanticClass.FLOOR, SemanticClass.WALL, SemanticClass.WINDOW)


def named(build: Callable[[Rng], Item]) -> str:
    return build.__name__


@pytest.mark.parametrize("build", BUILDERS, ids=named)
@pytest.mark.parametrize("seed", range(3))
def test_an_item_stands_on_the_floor_within_its_footprint(build: Callable[[Rng], Item], seed: int):
    item = build(np.random.default_rng(seed))
    low, high = (np.array([piece.bounds() for piece in item.things])[:, k] for k in (0, 1))
    # Handles, leaves and the backs of chairs may stick out by the width of a hand.
    assert low[:, 0].min() > -item.width / 2 - 0.1
    assert high[:, 0].max() < item.width / 2 + 0.1
    assert low[:, 1].min() > -0.1
    assert high[:, 1].max() < item.depth + 0.1
    assert 0 <= low[:, 2].min() <= 0.03  # a fridge leaves 3 cm of air below it
    assert item.height == high[:, 2].max() < 2.3


@pytest.mark.parametrize("build", BUILDERS, ids=named)
def test_the_same_draws_build_the_same_item(build: Callable[[Rng], Item]):
    one, same = build(np.random.default_rng(7)), build(np.random.default_rng(7))
    assert [piece.label for piece in one.things] == [piece.label for piece in same.things]
    for a, b in zip(one.things, same.things, strict=True):
        np.testing.assert_array_equal(a.bounds(), b.bounds())
        assert [material for _, material in a.parts] == [material for _, material in b.parts]


@pytest.mark.parametrize("build", BUILDERS, ids=named)
def test_items_fit_along_the_shortest_wall(build: Callable[[Rng], Item]):
    for seed in range(5):
        item = build(np.random.default_rng(seed))
        assert item.width + 2 * GAP <= ROOM_SIDE[0]
        assert item.depth + GAP < ROOM_SIDE[0]


def test_every_kind_of_room_has_furniture():
    assert set(REQUIRED) == set(OPTIONAL) == set(ROOM_ORDER)


def test_what_three_rooms_must_have_shows_every_class_of_furniture():
    rng = np.random.default_rng(0)
    labels = {
        piece.label
        for kind in ROOM_ORDER[:3]
        for alternatives in REQUIRED[kind]
        for piece in alternatives[0](rng).things
    }
    assert labels >= set(OCCUPIED_CLASSES) - set(BUILDING)
