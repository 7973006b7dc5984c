import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.freespace import is_walkable
from pipeline.tours.furnish import (
    DOOR_SWING,
    GAP,
    WALKING_CLEARANCE,
    FurnishedRoom,
    doorway_zones,
    furnish,
    overlap,
    place,
)
from pipeline.tours.furniture import REQUIRED
from pipeline.tours.item import Item
from pipeline.tours.layout import Bounds, Opening, Room, plan_rooms, rectangle_of
from pipeline.tours.settings import TourSettings

from .shapes import DOORWAY, block, plain_room

SEEDS = st.integers(0, 999_999)
TINY = 1e-6
BOUNDS = st.tuples(*[st.integers(0, 8)] * 4).map(
    lambda b: (float(min(b[0], b[2])), float(min(b[1], b[3])), float(max(b[0], b[2]) + 1), float(max(b[1], b[3]) + 1))
)


def item_of(width: float, depth: float, height: float) -> Item:
    return Item(width, depth, (block((-width / 2, 0, 0), (width / 2, depth, height)),))


def furnished_room(seed: int) -> tuple[Room, FurnishedRoom]:
    rng = np.random.default_rng(seed)
    room = plan_rooms(rng, TourSettings())[0]
    return room, furnish(rng, room)


@settings(max_examples=15)
@given(SEEDS)
def test_furniture_stands_inside_its_room_clear_of_doors_and_of_other_furniture(seed: int):
    room, furnished = furnished_room(seed)
    x0, y0, x1, y1 = room.bounds
    for i, footprint in enumerate(furnished.footprints):
        assert footprint[0] >= x0 - TINY
        assert footprint[1] >= y0 - TINY
        assert footprint[2] <= x1 + TINY
        assert footprint[3] <= y1 + TINY
        assert not any(overlap(footprint, other) for other in furnished.footprints[:i])
        assert not any(overlap(footprint, zone) for zone in doorway_zones(room))
    for piece in furnished.things:
        low, high = piece.bounds()
        assert low[2] >= -TINY
        assert high[2] < room.ceiling_height


@settings(max_examples=10)
@given(SEEDS)
def test_a_furnished_room_can_still_be_walked(seed: int):
    room, furnished = furnished_room(seed)
    assert is_walkable(room, furnished.footprints, WALKING_CLEARANCE)
    assert len(furnished.footprints) == len(furnished.along_walls) >= len(REQUIRED[room.kind]) - 1


@settings(max_examples=40)
@given(BOUNDS, BOUNDS)
def test_overlap_is_that_of_the_cells_two_rectangles_cover(a: Bounds, b: Bounds):
    cells = [np.zeros((10, 10), bool), np.zeros((10, 10), bool)]
    for covered, (x0, y0, x1, y1) in zip(cells, (a, b), strict=True):
        covered[int(x0) : int(x1), int(y0) : int(y1)] = True
    assert overlap(a, b) == overlap(b, a) == bool((cells[0] & cells[1]).any())


def test_rectangles_closer_than_the_gap_overlap():
    left, right = (0.0, 0.0, 1.0, 1.0), (1.1, 0.0, 2.0, 1.0)
    assert not overlap(left, right)
    assert not overlap(left, right, 0.1 - TINY)
    assert overlap(left, right, 0.1 + TINY)


@pytest.mark.parametrize(
    ("side", "expected"),
    [(0, (1.0, 0.0, 2.0, 0.5)), (1, (3.5, 1.0, 4.0, 2.0)), (2, (2.0, 2.5, 3.0, 3.0)), (3, (0.0, 1.0, 0.5, 2.0))],
)
def test_a_rectangle_along_each_wall_lies_where_it_should(side: int, expected: Bounds):
    along = rectangle_of(plain_room().side_frame(side), (1.0, 0.0, 2.0, 0.5))
    np.testing.assert_allclose(along, expected, atol=1e-12)


def test_the_floor_before_a_doorway_stays_free():
    (zone,) = doorway_zones(plain_room(DOORWAY, Opening("window", 1, 1.0, 2.0, 0.9, 2.0)))
    assert zone == pytest.approx((1.5 - 0.1, 0.0, 2.4 + 0.1, DOOR_SWING))


@pytest.mark.parametrize(("width", "depth"), [(4.0, 0.5), (3.5, 3.0)])
def test_an_item_larger_than_the_room_finds_no_place(width: float, depth: float):
    furnished = FurnishedRoom(plain_room())
    assert not place(np.random.default_rng(0), furnished, item_of(width, depth, 1.0), tries=50)
    assert furnished == FurnishedRoom(plain_room())


def test_a_placed_item_stands_against_its_wall_and_is_noted():
    furnished = FurnishedRoom(plain_room())
    assert place(np.random.default_rng(0), furnished, item_of(1.2, 0.4, 0.9), tries=50)
    ((side, start, end, height),) = furnished.along_walls
    assert (end - start, height) == (pytest.approx(1.2), 0.9)
    assert furnished.footprints == [rectangle_of(furnished.room.side_frame(side), (start, 0, end, 0.4))]
    (low, high) = furnished.things[0].bounds()
    in_wall_frame = rectangle_of(np.linalg.inv(furnished.room.side_frame(side)), (low[0], low[1], high[0], high[1]))
    np.testing.assert_allclose(in_wall_frame, (start, GAP / 2, end, 0.4 + GAP / 2), atol=1e-9)


@pytest.mark.parametrize(("height", "fits"), [(0.85, True), (1.2, False)])
def test_only_low_furniture_stands_below_a_window(height: float, fits: bool):
    windows = [Opening("window", side, 0.2, length - 0.2, 0.9, 2.0) for side, length in enumerate((4.0, 3.0) * 2)]
    furnished = FurnishedRoom(plain_room(*windows))
    assert place(np.random.default_rng(0), furnished, item_of(1.0, 0.4, height), tries=60) is fits


def test_nothing_is_placed_that_would_leave_no_way_to_walk():
    furnished = FurnishedRoom(plain_room())
    # It fits along a wall of 3 m, but leaves a lane of 0.9 m where half a metre is kept from everything.
    assert not place(np.random.default_rng(0), furnished, item_of(2.9, 3.1, 0.5), tries=60)
