import numpy as np
import pytest

from pipeline.tours.forms.slope import Slope, draw_slope
from pipeline.tours.layout import Opening
from pipeline.tours.walks import HEAD, obstacles
from tests.pipeline.tours.shapes import plain_room

from .rooms import CEILING, WALL, formed_house, met


@pytest.mark.parametrize("side", range(4))
def test_depth_of_a_sloping_ceiling_lies_on_its_plane(side: int):
    house = formed_house(Slope(side, 1.2, 1.0))
    frame = house.rooms[0].side_frame(side)
    for away in (0.05, 0.3, 0.6, 1.1, 1.3, 2.0):
        origin = frame @ [1.4, away, 0.2, 1]
        distance, label = met(house, tuple(origin[:3]), (0, 0, 1))
        assert label == CEILING
        assert distance + 0.2 == pytest.approx(min(1.0 + away * 1.5 / 1.2, 2.5), abs=1e-5)
    origin, direction = frame @ [1.4, 2.0, 0.7, 1], frame @ [0, -1, 0, 0]
    assert met(house, tuple(origin[:3]), tuple(direction[:3])) == (pytest.approx(2.0), WALL)


def test_nobody_stands_where_the_ceiling_is_too_low():
    house = formed_house(Slope(0, 1.5, 1.0))
    room = house.rooms[0]
    strip = obstacles(house, room)
    assert strip == [pytest.approx((0, 0, 4, HEAD - 1.0))]
    assert room.form.height_over(room, strip[0]) == pytest.approx(1.0)
    assert room.form.height_over(room, (0, 0.75, 1, 2)) == pytest.approx(1.75)
    assert room.form.too_low(room, 0.9) == []


def test_a_slope_passes_above_doors_and_windows():
    openings = (Opening("doorway", 0, 2.6, 3.5, 0, 2.05, 1), Opening("window", 1, 1.0, 2.0, 0.9, 2.1))
    found = 0
    for seed in range(20):
        form = draw_slope(np.random.default_rng(seed), plain_room(*openings))
        if form is not None:
            found += 1
            assert form.side in {2, 3}, "elsewhere the ceiling would be lower than a door or a window"
            beside_opening = {2: 3 - 2.0 - 0.3, 3: 2.6 - 0.3}[form.side]
            assert form.height_at(plain_room(), beside_opening) >= 2.1 + 0.2
    assert found > 10
