from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.palette import Rng
from pipeline.tours.storage import bookshelf, cabinet, fridge, kitchen_row, nightstand, sideboard, tv_stand, wardrobe
from pipeline.tours.surfaces import Thing

SEEDS = range(6)


def cupboards(item: Item) -> list[Thing]:
    return [piece for piece in item.things if piece.label == SemanticClass.FURNITURE]


@pytest.mark.parametrize("doors", [1, 2, 3])
def test_a_cabinet_is_as_large_as_told_with_a_front_for_every_door(doors: int):
    piece = cabinet(np.random.default_rng(0), 1.2, 0.4, 0.8, doors)
    low, high = piece.bounds()
    np.testing.assert_allclose(low, [-0.61, 0.005, 0])  # the top stands over by a centimetre
    np.testing.assert_allclose(high, [0.61, 0.42, 0.8])
    fronts = [sheet for sheet, material in piece.parts if material.pattern == "panels"]
    assert len(fronts) == 6 * doors
    assert piece.label == SemanticClass.FURNITURE


def test_doors_of_a_cabinet_do_not_overlap_and_lie_within_its_width():
    piece = cabinet(np.random.default_rng(0), 1.2, 0.4, 0.8, 3)
    fronts = [sheet.vertices[..., 0] for sheet, material in piece.parts if material.pattern == "panels"]
    spans = sorted(
        (min(f.min() for f in fronts[i : i + 6]), max(f.max() for f in fronts[i : i + 6])) for i in (0, 6, 12)
    )
    assert spans[0][0] > -0.6
    assert spans[-1][1] < 0.6
    assert all(a[1] < b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize("build", [tv_stand, sideboard, nightstand])
def test_what_stands_on_a_chest_stands_on_its_top(build: Callable[[Rng], Item]):
    for seed in SEEDS:
        item = build(np.random.default_rng(seed))
        chest, *above = item.things
        assert above
        top = chest.bounds()[1, 2]
        assert all(piece.bounds()[0, 2] == pytest.approx(top) for piece in above)


def test_a_television_is_on_its_stand_alone():
    item = tv_stand(np.random.default_rng(0))
    assert [piece.label for piece in item.things] == [SemanticClass.FURNITURE, SemanticClass.TVS]


def test_wardrobes_have_two_or_three_doors_of_half_a_metre():
    widths = {round(wardrobe(np.random.default_rng(seed)).width, 2) for seed in range(20)}
    assert widths == {1.02, 1.52}
    assert all(1.9 <= wardrobe(np.random.default_rng(seed)).height <= 2.2 for seed in SEEDS)


def test_books_stand_on_the_boards_of_their_shelf_below_the_next_board():
    for seed in SEEDS:
        shelf, *rows = bookshelf(np.random.default_rng(seed)).things
        assert shelf.label == SemanticClass.FURNITURE
        boards = sorted(
            {
                round(float(sheet.vertices[..., 2].max()), 6)
                for sheet, _ in shelf.parts
                if np.ptp(sheet.vertices[..., 2]) == 0 and np.ptp(sheet.vertices[..., 1]) > 0.25
            }
        )
        assert 4 <= len(rows) <= 5
        for row in rows:
            low, high = row.bounds()
            assert row.label == SemanticClass.OBJECTS
            assert any(low[2] == pytest.approx(board) for board in boards)
            above = [board for board in boards if board > low[2] + 0.01]
            assert high[2] < above[0]
            assert low[1] > 0.025
            assert high[1] < 0.32


def test_a_kitchen_has_cabinets_below_and_above_its_worktop_and_room_between():
    for seed in SEEDS:
        item = kitchen_row(np.random.default_rng(seed))
        base, stone, upper = cupboards(item)
        assert stone.bounds()[1, 2] == pytest.approx(0.9)
        assert base.bounds()[1, 2] == pytest.approx(0.86)
        assert upper.bounds()[:, 2] == pytest.approx([1.45, 2.1])
        standing = [piece for piece in item.things if piece.label == SemanticClass.OBJECTS]
        assert len(standing) == 4
        for piece in standing:
            low, high = piece.bounds()
            assert low[2] == pytest.approx(0.9, abs=0.013)  # the pot stands on the hob, 12 mm high
            assert high[2] < 1.45


def test_a_fridge_is_one_object_with_its_notes():
    (piece,) = fridge(np.random.default_rng(0)).things
    assert piece.label == SemanticClass.OBJECTS  # of the eleven classes none is nearer
    assert piece.bounds()[1, 2] == pytest.approx(1.8)
    assert sum(material.pattern == "painting" for _, material in piece.parts) == 3 * 6
