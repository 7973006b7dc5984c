"""Which way is up and how walls run, from normals that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.errors import NoUpDirection
from pipeline.stages.scene.orientation import (
    agreement,
    find_up,
    is_near,
    quarter_turn_angle,
    refined,
    suggested_ups,
    unit,
    walls_to_axes,
)
from pipeline.stages.scene.settings import SceneSettings
from tests.pipeline.box_room import looking

SETTINGS = SceneSettings()
UP = np.array([0.0, 0.0, 1.0])
CAMERAS = np.stack([looking((0, 0, 1.5), (1, 2, 1.2)), looking((0.2, 0, 1.5), (-1, 2, 1.4))])

Vectors = NDArray[np.float64]


def room_normals(seed: int = 0, noise_deg: float = 1.0, floor: int = 800, walls: int = 800, stray: int = 0) -> Vectors:
    """Unit normals of a floor, of walls along x and y, and of clutter that looks anywhere."""
    draw = np.random.default_rng(seed)
    sides = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])[draw.integers(0, 4, walls)]
    exact = np.concatenate([np.tile(UP, (floor, 1)), sides])
    noisy = exact + draw.normal(0, np.radians(noise_deg), exact.shape)
    return unit(np.concatenate([noisy, draw.normal(size=(stray, 3))]))


def turned(vectors: Vectors, rotation: Rotation) -> Vectors:
    return vectors @ rotation.as_matrix().T


def turned_cameras(rotation: Rotation) -> Vectors:
    poses = CAMERAS.copy()
    poses[:, :3, :3] = rotation.as_matrix() @ poses[:, :3, :3]
    return poses


def apart_deg(one: Vectors, other: Vectors) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ other, -1, 1))))


@given(st.integers(0, 1000))
@settings(max_examples=8)
def test_up_is_found_in_whatever_frame(seed: int):
    rotation = Rotation.random(rng=np.random.default_rng(seed))
    found = find_up(turned(room_normals(seed, stray=400), rotation), turned_cameras(rotation), SETTINGS)
    # 1600 normals of 1 degree, fitted together, leave a twentieth of a degree; clutter adds a little.
    assert apart_deg(found.direction, rotation.as_matrix() @ UP) < 0.5
    assert found.confidence == pytest.approx(0.8, abs=0.08), "400 of 2000 normals are clutter, some of which agrees"


def test_a_camera_that_is_held_askew_does_not_tilt_the_room():
    poses = np.stack([looking((0, 0, 1.5), (0.5, 2, 1.2), roll=0.3), looking((0, 0, 1.5), (1, 2, 1.2), roll=0.25)])
    assert apart_deg(find_up(room_normals(), poses, SETTINGS).direction, UP) < 0.3


@pytest.mark.parametrize("roll_deg", [-55, -50, -45, -38, -31, 31, 38, 45, 50, 55])
def test_a_camera_that_is_rolled_so_far_that_walls_may_be_floors_is_refused_and_told_so(roll_deg: float):
    looks = [(-0.1, 2, 1.2), (0.15, 2, 1.2)]
    poses = np.stack([looking((0, 0, 1.5), look, roll=np.radians(roll_deg)) for look in looks])
    with pytest.raises(NoUpDirection, match=r"rolled .*turn the film upright"):
        find_up(room_normals(stray=400), poses, SETTINGS)


@pytest.mark.parametrize("roll_deg", [-25, -12, 0, 12, 25])
def test_a_camera_that_is_rolled_less_tells_up(roll_deg: float):
    looks = [(-0.1, 2, 1.2), (0.15, 2, 1.2)]
    poses = np.stack([looking((0, 0, 1.5), look, roll=np.radians(roll_deg)) for look in looks])
    assert apart_deg(find_up(room_normals(stray=400), poses, SETTINGS).direction, UP) < 0.5


def test_up_is_not_down_though_a_ceiling_is_all_that_is_level():
    normals = room_normals()
    normals[:800] *= -1
    assert find_up(normals, CAMERAS, SETTINGS).direction[2] > 0.99


@pytest.mark.parametrize(
    ("normals", "complaint"),
    [
        (room_normals(floor=40, walls=40), "fewer than 100 pixels"),
        (unit(np.random.default_rng(0).normal(size=(3000, 3))), "agree on an up direction"),
        (np.tile([[0.0, -1.0, 0.0]], (500, 1)), "single wall"),
    ],
)
def test_where_nothing_tells_up_it_says_why(normals: Vectors, complaint: str):
    with pytest.raises(NoUpDirection, match=complaint):
        find_up(normals, CAMERAS, SETTINGS)


def test_vectors_are_scaled_to_length_one_and_nothing_stays_nothing():
    assert unit(np.array([[3.0, 0, 4], [0, 0, 0]])).tolist() == [[0.6, 0, 0.8], [0, 0, 0]]


def test_suggestions_are_unit_vectors_on_the_side_of_what_the_camera_holds_for_upright():
    found = suggested_ups(room_normals(stray=500), UP, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert (found @ UP >= 0).all()
    assert np.array_equal(found[0], UP), "the upright itself is one"
    near = is_near(found, CAMERAS[:, :3, :3], SETTINGS)
    assert 0 < near.sum() < len(found)


def test_normals_of_walls_alone_suggest_an_up():
    walls = room_normals(floor=0)
    found = suggested_ups(walls, unit(np.array([0.2, 0.1, 1.0])), np.random.default_rng(0))
    assert np.min(np.degrees(np.arccos(np.clip(found @ UP, -1, 1)))) < 2


@pytest.mark.parametrize("down_deg", [-30, 0, 30, 44, 50])
@pytest.mark.parametrize("roll_deg", [0, 12])
def test_up_is_that_of_the_room_however_far_the_camera_looks_down(down_deg: float, roll_deg: float):
    """Walls, floor and ceiling agree alike with all three axes of a room, so that only the camera tells which is up."""
    dives = np.radians([down_deg - 2, down_deg + 2])
    looks = [(0.3 * np.cos(dive), np.cos(dive), 1.5 - 1.05 * np.sin(dive)) for dive in dives]
    poses = np.stack([looking((0, 0, 1.5), look, roll=np.radians(roll_deg)) for look in looks])
    assert apart_deg(find_up(room_normals(stray=400), poses, SETTINGS).direction, UP) < 0.5


@pytest.mark.parametrize(("angle_deg", "weight"), [(0, 1), (90, 1), (180, 1), (8, 0), (82, 0), (45, 0), (98, 0)])
def test_what_is_parallel_or_orthogonal_agrees(angle_deg: float, weight: float):
    assert agreement(np.cos(np.radians([angle_deg])), 8.0)[0] == pytest.approx(weight, abs=1e-9)


@given(st.floats(-1, 1), st.floats(1, 20))
@settings(max_examples=50)
def test_agreement_is_a_weight_and_the_same_for_both_directions(cosine: float, band: float):
    weight = agreement(np.array([cosine, -cosine]), band)
    assert 0 <= weight[0] <= 1
    assert weight[0] == weight[1]


def test_a_direction_a_little_off_is_set_right():
    start = unit(np.array([0.05, -0.04, 1.0]))
    once = refined(room_normals(), start, 8.0)
    # The band about a start that is 3.7 degrees off takes in more of one side's noise than of the other's.
    assert apart_deg(once, UP) < 0.4
    assert apart_deg(refined(room_normals(), once, 4.0), UP) < 0.1
    assert refined(room_normals(), -start, 8.0) @ UP < 0, "it stays on the side it was on"


def test_normals_that_are_all_parallel_and_lie_across_up_leave_it_open():
    with pytest.raises(NoUpDirection, match="single wall"):
        refined(np.tile([[0.0, 1.0, 0.0]], (300, 1)), UP, 8.0)


@pytest.mark.parametrize("yaw_deg", [0, 20, 44, 95, 200, 300])
def test_walls_come_to_lie_along_the_axes_with_the_view_nearest_y(yaw_deg: float):
    yaw = Rotation.from_euler("z", yaw_deg, degrees=True)
    forward = yaw.as_matrix() @ np.array([0.2, 0.9, -0.3])
    rotation = walls_to_axes(turned(room_normals(noise_deg=0.2), yaw), UP, forward)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert np.allclose(rotation[2], UP)
    ahead = rotation @ forward
    assert ahead[1] >= abs(ahead[0]) - 1e-9
    # The walls are at right angles to the axes to within their noise.
    flat = (rotation @ yaw.as_matrix())[:2, :2]
    assert np.abs(flat).max(axis=1) == pytest.approx(1, abs=1e-3)


def test_without_a_wall_the_view_itself_is_ahead():
    rotation = walls_to_axes(np.tile(UP, (100, 1)), UP, np.array([1.0, 1.0, 0.0]))
    assert rotation @ np.array([1, 1, 0]) == pytest.approx([0, np.sqrt(2), 0])


@given(st.floats(-0.78, 0.78), st.integers(0, 1000))
@settings(max_examples=50)
def test_walls_at_right_angles_share_one_turn(angle: float, seed: int):
    draw = np.random.default_rng(seed)
    angles = angle + draw.integers(0, 4, 500) * np.pi / 2 + draw.normal(0, 0.01, 500)
    outliers = draw.uniform(-np.pi, np.pi, 100)
    off = quarter_turn_angle(np.concatenate([angles, outliers])) - angle
    # 500 angles of 0.01 rad leave 0.0005 rad; evenly spread outliers inside the 4 degree band add as much again.
    assert abs((off + np.pi / 4) % (np.pi / 2) - np.pi / 4) < 0.004


def test_no_angle_is_no_turn():
    assert quarter_turn_angle(np.empty(0)) == 0
