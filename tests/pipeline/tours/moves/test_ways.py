"""Steps, gimbals and drones: where the camera may be, without a picture rendered."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import intrinsics_of
from pipeline.tours.forms.loft import Loft
from pipeline.tours.house import House, build_house
from pipeline.tours.moves.climb import climb
from pipeline.tours.moves.drone import flown
from pipeline.tours.moves.overhead import carried_overhead
from pipeline.tours.moves.planner import RoutePlanner
from pipeline.tours.moves.route import Route, walked
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.variety import HouseSettings, MoveSettings
from tests.pipeline.tours.shapes import bare_house, plain_room

STEADY = (0.0, 0.0)
MOVES = MoveSettings(stairs=1)
HOUSES = HouseSettings(recesses=0.3, slopes=0.3, lofts=0.4)
FAN = np.float32([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)])


def poses_of(route: Route, count: int = 60) -> np.ndarray:
    return np.stack([route.at(float(t)) for t in np.linspace(0, route.duration, count)])


def nearest(house: House, eyes: np.ndarray) -> float:
    """How near anything comes to a camera, by rays in 26 directions."""
    origins = np.repeat(eyes.astype(np.float32), len(FAN), axis=0)
    unit = FAN / np.linalg.norm(FAN, axis=1, keepdims=True)
    return float(house.caster.cast(origins, np.tile(unit, (len(eyes), 1))).distance.min())


@pytest.fixture(scope="module")
def loft_house() -> House:
    room = replace(plain_room(), bounds=(0.0, 0.0, 4.0, 6.0), form=Loft(0, 1.8, 2.5, at_start=True), ceiling_height=4.8)
    return bare_house(room=room)


def test_a_climb_leads_from_one_floor_to_the_other_an_eye_height_above_the_steps(loft_house: House):
    routes = RoutePlanner(loft_house, MOVES, intrinsics_of(70), STEADY)
    for seed in range(6):
        route = climb(np.random.default_rng(seed), routes, 25.0, 1.6)
        assert route is not None
        eyes = poses_of(route, 200)[:, :3, 3]
        assert eyes[:, 2].min() == pytest.approx(1.6, abs=0.02)
        assert eyes[:, 2].max() == pytest.approx(2.5 + 1.6, abs=0.02)
        down = loft_house.caster.cast(eyes.astype(np.float32), np.tile(np.float32([0, 0, -1]), (len(eyes), 1)))
        assert down.distance.min() > 1.25
        assert down.distance.max() < 1.85, "the steps go up as the camera does, a rise more or less"
        assert nearest(loft_house, eyes) > 0.25
        assert np.linalg.norm(np.diff(eyes, axis=0), axis=1).max() < 0.8 * 25 / 199 * 1.05


def test_a_house_without_a_loft_has_nothing_to_climb():
    house = bare_house()
    assert climb(np.random.default_rng(0), RoutePlanner(house, MOVES, intrinsics_of(70), STEADY), 5.0, 1.6) is None


def test_a_gimbal_glides_overhead_and_looks_down(loft_house: House):
    for house in (loft_house, bare_house(room=plain_room(height=2.4))):
        routes = RoutePlanner(house, MOVES, intrinsics_of(70), STEADY)
        for seed in range(4):
            route = carried_overhead(np.random.default_rng(seed), routes, house.rooms[0], 5.0)
            poses = poses_of(route)
            assert 2.2 <= poses[0, 2, 3] <= 2.6
            assert np.ptp(poses[:, 2, 3]) < 1e-9
            assert 0.3 < np.linalg.norm(poses[-1, :3, 3] - poses[0, :3, 3]) < 0.6 * 5.0 + 1e-6
            tilt = -np.degrees(np.arcsin(poses[:, 2, 2]))
            assert (tilt >= 29.9).all()
            assert (tilt <= 65.1).all()
            assert nearest(house, poses[:, :3, 3]) > 0.1


def test_a_drone_rises_keeps_the_house_in_the_middle_and_stays_before_the_trees():
    house = bare_house(room=plain_room())
    centre, reach = np.array([2.0, 1.5]), 2.5
    for seed in range(8):
        poses = poses_of(flown(np.random.default_rng(seed), house, MoveSettings(drone=1), 6.0))
        heights = poses[:, 2, 3]
        assert heights[0] < 3.1
        assert 4.9 <= heights[-1] <= 12.1
        assert np.diff(heights).max() / (6 / 59) < 2.6
        assert (np.diff(heights) > -0.01).all()
        away = np.linalg.norm(poses[:, :2, 3] - centre, axis=1) - reach
        assert 6.4 < away.min() <= away.max() < 9.1
        towards = np.array([*centre, 1.5]) - poses[:, :3, 3]
        cosine = (towards * poses[:, :3, 2]).sum(axis=1) / np.linalg.norm(towards, axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.5


def test_nobody_turns_faster_than_he_can_however_tight_the_bend():
    corner = np.array([[0.0, 0, 1.5], [1, 0, 1.5], [1.02, 0.02, 1.5], [0.98, 1, 1.5]])
    route = Route.of([walked(corner, 1.0, 0.0)], 10.0, STEADY, 0)
    yaw = np.unwrap(np.arctan2(*poses_of(route, 600)[:, (1, 0), 2].T))
    assert np.degrees(np.abs(np.diff(yaw)).max() / (10 / 599)) < 80


def test_cameras_of_a_dozen_hard_houses_are_in_the_air():
    every = MoveSettings(forward=0.3, turns=0.1, stairs=0.3, overhead=0.3, drone=0.5)
    settings = TourSettings(rooms_max=3, houses=HOUSES, moves=every, indoor_shots=2, shake_metres=0.004)
    for seed in range(12):
        tour = Tour.from_seed(seed, settings)
        indoor = [tour.walks[shot.shot_id] for shot in tour.shots if shot.kind == "indoor"]
        for walk in indoor:
            assert walk is not None
            eyes = np.stack([walk.at(float(t))[:3, 3] for t in np.linspace(0, walk.duration, 12)])
            assert nearest(tour.house, eyes) > 0.09, (seed, walk)
            _inside(tour.house, eyes)


def _inside(house: House, eyes: np.ndarray) -> None:
    """Nobody who is in a room sees the back of its walls: the lowest thing below him is a floor or stands on one."""
    below = house.caster.cast(eyes.astype(np.float32), np.tile(np.float32([0, 0, -1]), (len(eyes), 1)))
    above = house.caster.cast(eyes.astype(np.float32), np.tile(np.float32([0, 0, 1]), (len(eyes), 1)))
    assert (house.mesh.labels[below.triangle] != SemanticClass.UNKNOWN).all()
    assert (house.mesh.labels[above.triangle] != SemanticClass.UNKNOWN).all()
    assert (house.mesh.labels[above.triangle] != SemanticClass.FLOOR).all()


def test_a_house_of_a_seed_has_lofts_to_climb():
    houses = (
        build_house(np.random.default_rng(seed), TourSettings(houses=HouseSettings(lofts=1))) for seed in range(6)
    )
    assert any(isinstance(room.form, Loft) for house in houses for room in house.rooms)
