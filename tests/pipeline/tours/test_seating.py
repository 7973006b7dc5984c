from collections.abc import Callable

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.palette import Rng
from pipeline.tours.seating import armchair, chair, double_bed, single_bed, sofa


def labels(item: Item) -> list[SemanticClass]:
    return [piece.label for piece in item.things]


def test_a_chair_is_one_instance_whose_back_stands_at_the_wall():
    for seed in range(5):
        (piece,) = chair(np.random.default_rng(seed)).things
        assert piece.label == SemanticClass.CHAIR
        points = np.concatenate([sheet.vertices.reshape(-1, 3) for sheet, _ in piece.parts])
        back = points[points[:, 2] > 0.6]
        assert 0.85 <= points[:, 2].max() <= 1.0
        assert back[:, 1].max() < 0.05  # sitters face +y


def test_an_armchair_and_its_pillow_are_two_instances():
    assert labels(armchair(np.random.default_rng(0))) == [SemanticClass.CHAIR, SemanticClass.OBJECTS]


def test_sofas_seat_two_or_three_and_are_wider_by_a_seat():
    widths = {round(sofa(np.random.default_rng(seed)).width, 2) for seed in range(20)}
    assert widths == {1.72, 2.4}  # 68 cm a seat, 36 cm for the arms
    item = sofa(np.random.default_rng(0))
    assert labels(item) == [SemanticClass.SOFA, SemanticClass.OBJECTS, SemanticClass.OBJECTS]
    (low, high), width = item.things[0].bounds(), item.width
    assert (high - low)[0] == pytest.approx(width)


def test_pillows_of_a_sofa_lie_on_its_seat_inside_its_arms():
    item = sofa(np.random.default_rng(1))
    for pillow in item.things[1:]:
        low, high = pillow.bounds()
        assert -item.width / 2 + 0.1 < low[0] < high[0] < item.width / 2 - 0.1
        assert 0.4 < low[2] < 0.5  # seats are 46 cm high


@pytest.mark.parametrize(("build", "sleepers"), [(single_bed, 1), (double_bed, 2)])
def test_a_bed_has_a_pillow_for_every_sleeper_at_its_head(build: Callable[[Rng], Item], sleepers: int):
    item = build(np.random.default_rng(0))
    assert labels(item) == [SemanticClass.BED] + [SemanticClass.OBJECTS] * sleepers
    for pillow in item.things[1:]:
        low, high = pillow.bounds()
        assert high[1] < 0.6  # of 2.1 m
        assert low[2] > 0.5
        assert -item.width / 2 < low[0] < high[0] < item.width / 2
    assert len({float(p.bounds().mean(axis=0)[0]) for p in item.things[1:]}) == sleepers


def test_beds_for_two_come_in_two_widths():
    assert {double_bed(np.random.default_rng(seed)).width for seed in range(20)} == {1.4, 1.6}
    assert single_bed(np.random.default_rng(0)).width == 0.95
