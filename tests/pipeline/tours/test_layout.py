import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.furnish import overlap
from pipeline.tours.layout import DOOR_WIDTH, INNER_WALL, ROOM_ORDER, ROOM_SIDE, Room, house_bounds, plan_rooms
from pipeline.tours.settings import TourSettings

from .shapes import plain_room

SEEDS = st.integers(0, 999_999)
TINY = 1e-6


def rooms_of(seed: int) -> tuple[Room, ...]:
    return plan_rooms(np.random.default_rng(seed), TourSettings())


@settings(max_examples=40)
@given(SEEDS)
def test_rooms_have_liveable_sizes_and_ceilings(seed: int):
    rooms = rooms_of(seed)
    assert 3 <= len(rooms) <= 6
    for room in rooms:
        assert 2.4 <= room.ceiling_height <= 3.0
        assert all(ROOM_SIDE[0] <= room.side_length(side) <= ROOM_SIDE[1] for side in range(4))


@settings(max_examples=40)
@given(SEEDS)
def test_rooms_are_at_least_a_wall_apart(seed: int):
    rooms = rooms_of(seed)
    for a in rooms:
        assert not any(overlap(a.bounds, b.bounds, INNER_WALL - TINY) for b in rooms if b is not a)


@settings(max_examples=40)
@given(SEEDS)
def test_every_room_is_reached_through_doorways(seed: int):
    rooms = rooms_of(seed)
    reached, waiting = {0}, [0]
    while waiting:
        for gate in rooms[waiting.pop()].openings:
            if gate.leads_to is not None and gate.leads_to not in reached:
                reached.add(gate.leads_to)
                waiting.append(gate.leads_to)
    assert reached == {room.room_id for room in rooms}


@settings(max_examples=40)
@given(SEEDS)
def test_a_doorway_is_the_same_hole_seen_from_both_rooms(seed: int):
    rooms = rooms_of(seed)
    for room in rooms:
        for gate in room.openings:
            if gate.leads_to is None:
                continue
            other = rooms[gate.leads_to]
            back = next(g for g in other.openings if g.leads_to == room.room_id)
            here = (room.side_frame(gate.side) @ [(gate.start + gate.end) / 2, -INNER_WALL / 2, 0, 1])[:3]
            there = (other.side_frame(back.side) @ [(back.start + back.end) / 2, -INNER_WALL / 2, 0, 1])[:3]
            np.testing.assert_allclose(here, there, atol=TINY)
            assert abs(gate.end - gate.start - DOOR_WIDTH) < TINY


@settings(max_examples=40)
@given(SEEDS)
def test_openings_lie_within_their_wall_and_apart_from_one_another(seed: int):
    for room in rooms_of(seed):
        for hole in room.openings:
            assert hole.start > 0
            assert hole.end < room.side_length(hole.side)
            assert hole.top < room.ceiling_height
            others = [other for other in room.openings if other.side == hole.side and other is not hole]
            assert all(other.end <= hole.start or hole.end <= other.start for other in others)


@settings(max_examples=40)
@given(SEEDS)
def test_every_room_has_daylight_through_an_outer_wall(seed: int):
    rooms = rooms_of(seed)
    x0, y0, x1, y1 = house_bounds(rooms)
    for room in rooms:
        windows = [hole for hole in room.openings if hole.kind == "window"]
        assert windows
        for hole in windows:
            outer = (room.bounds[1] - y0, room.bounds[2] - x1, room.bounds[3] - y1, room.bounds[0] - x0)[hole.side]
            assert abs(outer) < TINY


@settings(max_examples=40)
@given(SEEDS)
def test_rooms_and_inner_walls_fill_the_house(seed: int):
    rooms = rooms_of(seed)
    x0, y0, x1, y1 = house_bounds(rooms)
    rng = np.random.default_rng(0)
    points = rng.uniform([x0, y0], [x1, y1], (300, 2))
    gaps = [
        np.maximum(np.maximum(r.bounds[0] - points[:, 0], points[:, 0] - r.bounds[2]), 0)
        + np.maximum(np.maximum(r.bounds[1] - points[:, 1], points[:, 1] - r.bounds[3]), 0)
        for r in rooms
    ]
    # No point of the house is farther from a room than half a wall, or half a wall either way at a corner of walls.
    assert np.min(gaps, axis=0).max() <= INNER_WALL + TINY


@settings(max_examples=40)
@given(SEEDS, st.integers(3, 6))
def test_a_house_has_as_many_rooms_as_asked_of_the_first_kinds(seed: int, count: int):
    chosen = TourSettings(rooms_min=count, rooms_max=count, ceiling_min=2.6, ceiling_max=2.6)
    rooms = plan_rooms(np.random.default_rng(seed), chosen)
    assert sorted(room.kind for room in rooms) == sorted(ROOM_ORDER[:count])
    assert [room.room_id for room in rooms] == list(range(count))
    assert {room.ceiling_height for room in rooms} == {2.6}


def test_the_sides_of_a_room_run_around_it_and_look_inwards():
    room = plain_room()
    assert [room.side_length(side) for side in range(4)] == [4, 3, 4, 3]
    middle = np.array([2, 1.5, 0, 1])
    for side in range(4):
        frame = room.side_frame(side)
        following = room.side_frame((side + 1) % 4)
        np.testing.assert_allclose(frame @ [room.side_length(side), 0, 0, 1], following[:, 3], atol=1e-12)
        assert (np.linalg.inv(frame) @ middle)[1] == [1.5, 2, 1.5, 2][side]
