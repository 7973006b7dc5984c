from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.palette import Rng
from pipeline.tours.surfaces import Thing
from pipeline.tours.tables import coffee_table, desk, dining_set, lounge, small_dining_set, table

SEEDS = range(6)


def of_class(item: Item, label: SemanticClass) -> list[Thing]:
    return [piece for piece in item.things if piece.label == label]


def test_a_table_is_as_large_as_told_and_stands_on_four_legs():
    piece = table(np.random.default_rng(0), 1.4, 0.8, 0.75)
    np.testing.assert_allclose(piece.bounds(), [[-0.7, 0, 0], [0.7, 0.8, 0.75]])
    on_floor = [sheet for sheet, _ in piece.parts if (sheet.vertices[..., 2] == 0).any()]
    assert len(on_floor) == 4


@pytest.mark.parametrize(
    ("build", "counts"),
    [
        (lounge, {"sofa": 1, "floor": 1, "table": 1}),
        (coffee_table, {"table": 1}),
        (dining_set, {"table": 1, "chair": 4}),
        (small_dining_set, {"table": 1, "chair": 1}),
        (desk, {"table": 1, "chair": 1, "tvs": 1}),
    ],
)
def test_every_set_has_its_pieces_as_instances_of_their_own(build: Callable[[Rng], Item], counts: dict[str, int]):
    for seed in SEEDS:
        found = Counter(piece.label.name.lower() for piece in build(np.random.default_rng(seed)).things)
        found.pop("objects")
        assert found == counts


@pytest.mark.parametrize("build", [coffee_table, dining_set, small_dining_set, desk])
def test_what_lies_on_a_table_lies_on_its_top(build: Callable[[Rng], Item]):
    for seed in SEEDS:
        item = build(np.random.default_rng(seed))
        (top,) = of_class(item, SemanticClass.TABLE)
        (x0, y0, _), (x1, y1, height) = top.bounds()
        for piece in of_class(item, SemanticClass.OBJECTS):
            low, high = piece.bounds()
            assert low[2] == pytest.approx(height)
            centre = (low + high) / 2
            assert x0 < centre[0] < x1
            assert y0 < centre[1] < y1


def test_chairs_of_a_dining_set_are_alike_and_face_the_table_from_both_sides():
    for seed in SEEDS:
        item = dining_set(np.random.default_rng(seed))
        (board,) = of_class(item, SemanticClass.TABLE)
        middle = board.bounds().mean(axis=0)[1]
        backs = []
        for seat in of_class(item, SemanticClass.CHAIR):
            points = np.concatenate([sheet.vertices.reshape(-1, 3) for sheet, _ in seat.parts])
            backs.append(points[points[:, 2] > 0.8][:, 1].mean() - middle)
        assert sorted(np.sign(backs).tolist()) == [-1, -1, 1, 1]
        np.testing.assert_allclose(np.abs(backs), np.abs(backs[0]), atol=0.06)
        assert len({round(float(seat.bounds()[1, 2]), 9) for seat in of_class(item, SemanticClass.CHAIR)}) == 1


def test_a_chair_before_a_desk_faces_it():
    item = desk(np.random.default_rng(0))
    (seat,) = of_class(item, SemanticClass.CHAIR)
    points = np.concatenate([sheet.vertices.reshape(-1, 3) for sheet, _ in seat.parts])
    assert points[points[:, 2] > 0.8][:, 1].min() > 1.0


def test_the_low_table_of_a_lounge_stands_on_the_rug():
    item = lounge(np.random.default_rng(0))
    (rug,), (low_table,) = of_class(item, SemanticClass.FLOOR), of_class(item, SemanticClass.TABLE)
    assert low_table.bounds()[0, 2] == pytest.approx(rug.bounds()[1, 2])
    assert (rug.bounds()[0, :2] < low_table.bounds()[0, :2]).all()
    assert (low_table.bounds()[1, :2] < rug.bounds()[1, :2]).all()
