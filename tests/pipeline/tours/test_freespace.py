import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.freespace import CELL, clearance_map, is_walkable
from pipeline.tours.layout import Bounds

from .shapes import plain_room

ROOM = plain_room()
CHAMFER = 0.03
"""OpenCV's 5 x 5 distances are within three hundredths of the Euclidean ones."""


def centres() -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.arange(80) + 0.5) * CELL, (np.arange(60) + 0.5) * CELL
    return x[:, None], y[None, :]


def test_in_an_empty_room_the_clearance_is_the_distance_to_the_nearest_wall():
    x, y = centres()
    walls = np.minimum(np.minimum(x, 4 - x), np.minimum(y, 3 - y))
    clear = clearance_map(ROOM, [])
    assert clear.shape == (80, 60)
    np.testing.assert_allclose(clear, walls, atol=1e-5)


def test_there_is_no_clearance_on_furniture_and_beside_it_the_distance_to_it():
    clear = clearance_map(ROOM, [(1.0, 1.0, 3.0, 2.0)])
    assert not clear[20:60, 20:40].any()
    x, y = centres()
    dx = np.maximum(np.maximum(1 - x, x - 3), 0)
    dy = np.maximum(np.maximum(1 - y, y - 2), 0)
    expected = np.minimum(np.hypot(dx, dy), np.minimum(np.minimum(x, 4 - x), np.minimum(y, 3 - y)))
    np.testing.assert_allclose(clear, expected, atol=CHAMFER + CELL / 2)


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.floats(-0.5, 4.5)] * 4), max_size=4))
def test_more_furniture_never_leaves_more_room(footprints: list[Bounds]):
    ordered = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in footprints]
    fuller, emptier = clearance_map(ROOM, ordered), clearance_map(ROOM, ordered[:-1])
    assert (fuller <= emptier + 1e-6).all()
    assert fuller.min() >= 0


@pytest.mark.parametrize(
    ("footprints", "walkable"),
    [
        ([], True),
        ([(0.0, 0.0, 4.0, 3.0)], False),
        ([(0.0, 0.0, 4.0, 1.6)], True),  # a lane of 1.4 m along the wall: 0.4 m wide at half a metre's clearance
        ([(0.0, 0.0, 4.0, 2.1)], False),  # 0.9 m are less than twice the clearance
        ([(1.4, 0.0, 2.6, 3.0)], True),  # two lanes of 0.4 x 2 m
        ([(1.4, 0.0, 2.6, 3.0), (0.0, 1.0, 4.0, 2.0)], False),  # four corners of 1.4 x 1 m
    ],
)
def test_a_room_is_walkable_where_a_lane_is_long_enough(footprints: list[Bounds], walkable: bool):
    assert is_walkable(ROOM, footprints, 0.5) is walkable
