from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import intrinsics_of
from pipeline.tours.freespace import CELL, clearance_map
from pipeline.tours.house import House
from pipeline.tours.settings import TourSettings
from pipeline.tours.walks import OUTDOOR_SPEED, WalkPlanner, free_lines, obstacles

from .shapes import bare_house, block, plain_room

TABLE = block((1.5, 1.0, 0.0), (2.5, 2.0, 0.75), SemanticClass.TABLE)
SETTINGS = TourSettings()
STEADY = SETTINGS.model_copy(update={"shake_degrees": 0.0, "shake_metres": 0.0})


@pytest.fixture(scope="module")
def house() -> House:
    return bare_house(TABLE)


def planner_of(house: House, chosen: TourSettings = STEADY) -> WalkPlanner:
    return WalkPlanner(house, chosen, intrinsics_of(70))


def test_obstacles_are_what_stands_between_knee_and_head():
    lamp = block((1.9, 1.4, 2.0), (2.1, 1.6, 2.5), SemanticClass.OBJECTS)
    rug = block((0, 0, 0), (4, 3, 0.012), SemanticClass.FLOOR)
    far = block((9, 0, 0), (10, 1, 1), SemanticClass.CHAIR)
    house = bare_house(TABLE, lamp, rug, far)
    assert obstacles(house, house.rooms[0]) == [pytest.approx((1.5, 1.0, 2.5, 2.0))]


@settings(max_examples=20)
@given(st.integers(0, 9999))
def test_lines_lead_over_free_floor_and_are_neither_too_short_nor_too_long(seed: int):
    room = plain_room()
    free = clearance_map(room, [(1.5, 1.0, 2.5, 2.0)]) >= 0.3
    for start, end in free_lines(np.random.default_rng(seed), room, free, 0.8, 1.2):
        assert 0.8 - 1e-9 <= np.hypot(end[0] - start[0], end[1] - start[1]) <= 1.2 + 1e-9
        for share in np.linspace(0, 1, 50):
            x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            around = free[max(int(x / CELL) - 1, 0) : int(x / CELL) + 2, max(int(y / CELL) - 1, 0) : int(y / CELL) + 2]
            assert around.any(), "free, or beside a free cell"


@pytest.mark.parametrize("free", [np.zeros((80, 60), bool), np.eye(1, 4800, dtype=bool).reshape(80, 60)])
def test_without_free_floor_there_are_no_lines(free: np.ndarray):
    lines: Iterator = free_lines(np.random.default_rng(0), plain_room(), free, 0.1, 1.0)
    assert list(lines) == []


def test_an_indoor_walk_keeps_its_height_its_speed_and_its_distance(house: House):
    for seed in range(3):
        walk = planner_of(house).indoor(np.random.default_rng(seed), house.rooms[0], 3.0)
        assert STEADY.eye_height_min <= walk.eye_height <= STEADY.eye_height_max
        assert np.hypot(*np.subtract(walk.end, walk.start)) <= 3.0 * STEADY.walking_speed + 1e-9
        for seconds in np.linspace(0, 3, 13):
            x, y, _ = walk.at(float(seconds))[:3, 3]
            to_table = np.hypot(max(1.5 - x, x - 2.5, 0), max(1.0 - y, y - 2.0, 0))
            # The bend of the path and cells of 5 cm take something off the clearance of 0.5 m.
            assert min(x, 4 - x, y, 3 - y, to_table) > 0.4


def test_the_operator_looks_across_the_line_of_walking(house: House):
    for seed in range(5):
        walk = planner_of(house).indoor(np.random.default_rng(seed), house.rooms[0], 3.0)
        along = np.arctan2(walk.end[1] - walk.start[1], walk.end[0] - walk.start[0])
        gaze = np.degrees(abs(np.angle(np.exp(1j * (np.mean(walk.yaw) - along)))))
        assert 35 - 1e-6 <= gaze <= 145 + 1e-6
        assert all(-12 <= np.degrees(pitch) <= -1 for pitch in walk.pitch)


def test_a_planner_remembers_what_its_walks_showed(house: House):
    planner = planner_of(house)
    planner.indoor(np.random.default_rng(0), house.rooms[0], 3.0)
    first = dict(planner.shown)
    planner.indoor(np.random.default_rng(1), house.rooms[0], 3.0)
    assert first == {SemanticClass.TABLE: 1}
    assert planner.shown == {SemanticClass.TABLE: 2}


def test_the_same_draws_plan_the_same_walk(house: House):
    walks = [planner_of(house).indoor(np.random.default_rng(7), house.rooms[0], 3.0) for _ in range(2)]
    assert walks[0] == walks[1]


def test_outdoor_walks_pass_the_house_at_a_distance_and_look_at_it(house: House):
    centre, reach = np.array([2.0, 1.5]), np.hypot(4, 3) / 2
    for seed in range(10):
        walk = planner_of(house).outdoor(np.random.default_rng(seed), 4.0)
        assert np.hypot(*np.subtract(walk.end, walk.start)) == pytest.approx(4 * OUTDOOR_SPEED)
        middle = (np.array(walk.start) + walk.end) / 2
        assert 6 <= np.linalg.norm(middle - centre) - reach <= 8.5
        for spot, yaw in ((walk.start, walk.yaw[0]), (walk.end, walk.yaw[1])):
            towards = centre - spot
            assert towards @ [np.cos(yaw), np.sin(yaw)] == pytest.approx(np.linalg.norm(towards))
        assert abs(walk.yaw[1] - walk.yaw[0]) < np.pi, "the short way round"


def test_the_hand_shakes_as_much_as_the_settings_say(house: House):
    walk = planner_of(house, SETTINGS).outdoor(np.random.default_rng(0), 4.0)
    assert walk.shake == pytest.approx((np.radians(0.3), 0.004))
    assert SETTINGS.eye_height_min + 3 * 0.004 <= walk.eye_height <= SETTINGS.eye_height_max - 3 * 0.004


def test_one_operator_keeps_the_height_of_the_camera_through_a_video(house: House):
    planner = WalkPlanner(house, STEADY, intrinsics_of(70), eye_height=1.6)
    rng = np.random.default_rng(0)
    heights = np.array([planner.outdoor(rng, 2.0).eye_height for _ in range(200)])
    assert np.log(heights / 1.6).std() == pytest.approx(0.025, rel=0.2)
    assert np.abs(np.log(heights / 1.6)).max() < 0.051
