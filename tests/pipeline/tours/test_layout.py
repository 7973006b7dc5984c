import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.furnish import doorway_zones, furnish, overlap
from pipeline.tours.layout import DOOR_WIDTH, INNER_WALL, ROOM_SIDE, Room, plan_rooms
from pipeline.tours.settings import TourSettings

SEEDS = st.integers(0, 999_999)
TINY = 1e-6


def rooms_of(seed: int) -> tuple[Room, ...]:
    return plan_rooms(np.random.default_rng(seed), TourSettings())


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_rooms_have_liveable_sizes_and_ceilings(seed: int):
    rooms = rooms_of(seed)
    assert 3 <= len(rooms) <= 6
    for room in rooms:
        assert 2.4 <= room.ceiling_height <= 3.0
        assert all(ROOM_SIDE[0] <= room.side_length(side) <= ROOM_SIDE[1] for side in range(4))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_rooms_are_at_least_a_wall_apart(seed: int):
    rooms = rooms_of(seed)
    for a in rooms:
        assert not any(overlap(a.bounds, b.bounds, INNER_WALL - TINY) for b in rooms if b is not a)


@settings(max_examples=40, deadline=None)
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


@settings(max_examples=40, deadline=None)
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


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_openings_lie_within_their_wall_and_apart_from_one_another(seed: int):
    for room in rooms_of(seed):
        for hole in room.openings:
            assert hole.start > 0
            assert hole.end < room.side_length(hole.side)
            assert hole.top < room.ceiling_height
            others = [other for other in room.openings if other.side == hole.side and other is not hole]
            assert all(other.end <= hole.start or hole.end <= other.start for other in others)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_furniture_stands_inside_its_room_clear_of_doors_and_of_other_furniture(seed: int):
    rng = np.random.default_rng(seed)
    room = plan_rooms(rng, TourSettings())[0]
    furnished = furnish(rng, room)
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
