import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.fittings import ceiling_lamp, pictures
from pipeline.tours.layout import Opening, Room
from pipeline.tours.surfaces import Thing

from .shapes import DOORWAY, WINDOW, plain_room

ALL_ROUND = [(side, 0.0, 4.0, 1.8) for side in range(4)]


def spans(room: Room, things: list[Thing]) -> list[tuple[int, float, float]]:
    """Side, start and end along it of what hangs on the walls."""
    found = []
    for piece in things:
        for side in range(4):
            low, high = piece.moved(np.linalg.inv(room.side_frame(side))).bounds()
            if abs(low[1]) < 1e-9 and high[1] < 0.03:
                found.append((side, float(low[0]), float(high[0])))
    return found


@pytest.mark.parametrize("height", [2.4, 3.0])
def test_a_lamp_hangs_from_the_middle_of_the_ceiling_above_everybody(height: float):
    for seed in range(5):
        lamp = ceiling_lamp(np.random.default_rng(seed), plain_room(height=height))
        low, high = lamp.bounds()
        np.testing.assert_allclose((low + high)[:2] / 2, [2, 1.5], atol=1e-9)
        assert high[2] == pytest.approx(height)
        assert low[2] > 2.0
        assert lamp.label == SemanticClass.OBJECTS
        assert sum(material.glows for _, material in lamp.parts) == 1, "the shade shines, the cord does not"


@settings(max_examples=20)
@given(st.integers(0, 9999))
def test_pictures_hang_within_their_wall_clear_of_openings_and_of_one_another(seed: int):
    room = plain_room(DOORWAY, WINDOW)
    hung = pictures(np.random.default_rng(seed), room, [])
    placed = spans(room, hung)
    assert len(placed) == len(hung) > 0
    for i, (side, start, end) in enumerate(placed):
        assert 0.1 <= start < end <= room.side_length(side) - 0.1
        for hole in (hole for hole in room.openings if hole.side == side):
            assert end <= hole.start - 0.3 or hole.end + 0.3 <= start
        assert all(s != side or end <= a or b <= start for s, a, b in placed[:i])
    for piece in hung:
        low, high = piece.bounds()
        assert (low[2] + high[2]) / 2 == pytest.approx(1.55)


def test_no_picture_hangs_behind_tall_furniture_but_above_low_furniture():
    room, rng = plain_room(), np.random.default_rng(0)
    assert pictures(rng, room, ALL_ROUND) == []
    assert pictures(rng, room, [(side, a, b, 0.9) for side, a, b, _ in ALL_ROUND])


def test_no_picture_hangs_where_a_door_leaf_opens():
    # A doorway at the far end of every wall, whose leaf covers the 1.1 metres before it: nothing else is left of 2 m.
    holes = [Opening("doorway", side, 1.2, 2.1, 0, 2.05, leads_to=1) for side in range(4)]
    room = Room(0, "office", (0.0, 0.0, 2.4, 2.4), 2.5, tuple(holes))
    assert not any(pictures(np.random.default_rng(seed), room, []) for seed in range(20))
