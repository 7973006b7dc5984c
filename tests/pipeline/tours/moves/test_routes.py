import numpy as np
import pytest

from pipeline.tours.camera import intrinsics_of
from pipeline.tours.house import House, build_house
from pipeline.tours.moves.floor import SHOULDERS, FloorMap
from pipeline.tours.moves.planner import RoutePlanner
from pipeline.tours.moves.route import Route, turned, walked
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.variety import MoveSettings
from pipeline.tours.walks import obstacles

STEADY = (0.0, 0.0)
AHEAD = TourSettings(
    rooms_max=3, moves=MoveSettings(forward=1), indoor_shots=1, outdoor_shots=0, title=False, shot_seconds=60
)


@pytest.fixture(scope="module")
def house() -> House:
    return build_house(np.random.default_rng(4), TourSettings(rooms_max=4))


@pytest.fixture(scope="module")
def planner(house: House) -> RoutePlanner:
    return RoutePlanner(house, MoveSettings(forward=1), intrinsics_of(70), STEADY)


def spots_of(route: Route, rate: float = 24) -> np.ndarray:
    return np.stack([route.at(float(t)) for t in np.arange(0, route.duration, 1 / rate)])


@pytest.fixture(scope="module")
def poses(house: House, planner: RoutePlanner) -> np.ndarray:
    return spots_of(planner.ahead(np.random.default_rng(0), house.rooms[0], 30.0, 1.6))


def test_who_walks_ahead_looks_where_he_goes(poses: np.ndarray):
    velocity = np.diff(poses[:, :2, 3], axis=0) * 24
    speed = np.linalg.norm(velocity, axis=1)
    walking = speed > 0.3
    forward = poses[:-1, :2, 2] / np.linalg.norm(poses[:-1, :2, 2], axis=1, keepdims=True)
    cosine = (velocity * forward).sum(axis=1)[walking] / speed[walking]
    assert walking.mean() > 0.4
    assert speed.max() < 1.25
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 8  # a frame's way is not its tangent


def test_stops_are_turned_at_and_nobody_turns_faster_than_he_can(poses: np.ndarray):
    speed = np.linalg.norm(np.diff(poses[:, :2, 3], axis=0), axis=1) * 24
    yaw = np.unwrap(np.arctan2(poses[:, 1, 2], poses[:, 0, 2]))
    rate = np.degrees(np.abs(np.diff(yaw))) * 24
    standing = speed < 0.02
    assert standing.any()
    assert rate[standing].max() > 10
    assert rate.max() < 80


def test_a_walk_leads_through_doorways_and_every_camera_is_in_free_space(house: House, poses: np.ndarray):
    visited = set()
    blocked = {room.room_id: obstacles(house, room) for room in house.rooms}
    for x, y, _ in poses[::3, :3, 3]:
        rooms = [r for r in house.rooms if r.bounds[0] <= x <= r.bounds[2] and r.bounds[1] <= y <= r.bounds[3]]
        visited.update(room.room_id for room in rooms)
        for room in rooms:
            wall = min(x - room.bounds[0], room.bounds[2] - x, y - room.bounds[1], room.bounds[3] - y)
            near_door = any(
                np.hypot(*((room.side_frame(g.side) @ [(g.start + g.end) / 2, 0, 0, 1])[:2] - [x, y])) < 0.6
                for g in room.openings
                if g.kind == "doorway"
            )
            assert wall > 0.1 or near_door
            for low_x, low_y, high_x, high_y in blocked[room.room_id]:
                inside = low_x < x < high_x and low_y < y < high_y
                assert not inside or near_door  # the bounds of a door's frame span the doorway
    assert len(visited) >= 2
    origins = poses[::6, :3, 3].astype(np.float32)
    for direction in ((0.12, 0, 0), (-0.12, 0, 0), (0, 0.12, 0), (0, -0.12, 0), (0, 0, 0.12)):
        assert not house.caster.is_blocked(origins, np.tile(np.float32(direction), (len(origins), 1))).any()


def test_a_floor_map_joins_rooms_by_their_doorways_alone(house: House):
    floor = FloorMap.of(house)
    for room in house.rooms:
        for gate in (hole for hole in room.openings if hole.kind == "doorway"):
            middle = (room.side_frame(gate.side) @ [(gate.start + gate.end) / 2, -0.05, 0, 1])[None, :2]
            assert floor.at(middle)[0] > 0.35
    places = [floor.places(room.bounds, 0.35)[0] for room in house.rooms]
    for place in places[1:]:
        way = floor.way(places[0], place)
        assert way is not None
        assert floor.at(way).min() >= SHOULDERS
        np.testing.assert_allclose(way[[0, -1]], [places[0], place], atol=0.05)


def test_walking_along_a_line_takes_its_length_over_the_speed():
    piece = walked(np.array([[0.0, 0, 1.5], [6, 0, 1.5]]), 1.0, 0.0)
    # 1 m/s at 0.9 m/s2: half a metre and 1.1 s to speed up, and the same to stop.
    assert piece.seconds == pytest.approx(6 / 1.0 + 1 / 0.9, rel=0.06)
    assert (np.diff(piece.times) > 0).all()
    assert np.ptp(piece.yaw) < 1e-9


def test_turning_on_the_spot_turns_by_what_it_says():
    piece = turned(np.array([1.0, 2.0, 1.5]), (0.0, 1.0, -0.5), 0.5, (0.0, 0.0))
    assert piece.seconds == pytest.approx(2.5 / 0.5)
    route = Route.of([piece], 5.0, STEADY, 0)
    at = [route.at(t) for t in (0.0, 2.0, 5.0)]
    np.testing.assert_allclose([np.arctan2(p[1, 2], p[0, 2]) for p in at], [0.0, 1.0, -0.5], atol=1e-9)
    np.testing.assert_allclose([p[:3, 3] for p in at], np.tile([1.0, 2.0, 1.5], (3, 1)))


def test_the_same_seed_walks_the_same_way_for_a_minute():
    tours = [Tour.from_seed(6, AHEAD) for _ in range(2)]
    frames = [0, 300, tours[0].frame_count - 1]
    for frame in frames:
        a, b = (tour.walks[0].at(frame / 12) for tour in tours if tour.walks[0])
        np.testing.assert_array_equal(a, b)


def test_a_sideways_shot_longer_than_the_room_is_planned_all_the_same():
    sideways = AHEAD.model_copy(update={"moves": MoveSettings(), "indoor_shots": None})
    tour = Tour.from_seed(6, sideways)
    assert all(walk is not None and walk.duration > 40 for walk in tour.walks)
