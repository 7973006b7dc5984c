"""Pictures of a plane far away, as a camera that turns sees them: the turn is found, whatever noise lies over it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.geometry.picture_motion import (
    FEWEST,
    Grey,
    Neighbour,
    later,
    motion_between,
    motion_rate,
    pixels_of,
    rays,
    turning,
)

WIDE = 1200
"""Columns and rows of what is filmed, about the axis of the camera."""


def scenery(seed: int) -> Grey:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (WIDE // 12, WIDE // 12)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(cv2.resize(coarse, (WIDE, WIDE), interpolation=cv2.INTER_CUBIC), (0, 0), 2.0))


def shown(scene: Grey, turn: Float64s, lens: Distortion = STRAIGHT, noise: float = 0.0, seed: int = 0) -> Grey:
    """The picture (480, 640) after what is seen has turned by a rotation vector (3,)."""
    rows, columns = np.indices((480, 640)) + 0.5
    ideal = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))
    before = pixels_of(Rotation.from_rotvec(-turn).apply(rays(ideal))) - (320, 240) + WIDE / 2 - 0.5
    across, down = before.T.reshape(2, 480, 640).astype(np.float32)
    picture = cv2.remap(scene, across, down, cv2.INTER_CUBIC).astype(np.float64)
    picture += noise * np.random.default_rng(seed).standard_normal(picture.shape)
    return np.asarray(picture.clip(0, 255), np.uint8)


@pytest.mark.parametrize("lens", [STRAIGHT, Distortion(-0.1)])
@pytest.mark.parametrize("degrees", [(0, 30, 0), (8, -20, 10), (0, 1, 0), (-15, 0, 25)])
def test_the_rate_is_that_of_the_pictures_before_and_after(degrees: tuple[float, ...], lens: Distortion):
    rate, scene = np.radians(degrees), scenery(3)
    grey = [shown(scene, rate * seconds, lens, 3.0, number) for number, seconds in enumerate((-1 / 30, 0, 1 / 24))]
    found = motion_rate(grey[1], [Neighbour(grey[0], -1 / 30), Neighbour(grey[2], 1 / 24)], lens)
    assert np.degrees(found[:3]) == pytest.approx(degrees, abs=0.6)
    assert np.abs(found[3:]).max() < 12, "pixels a second, of 300"


def test_a_picture_that_the_film_shows_twice_does_not_tell_that_the_camera_stood_still():
    rate, scene = np.radians((0, 20, 0)), scenery(4)
    before, grey = shown(scene, -rate / 30), shown(scene, 0 * rate)
    found = motion_rate(grey, [Neighbour(before, -1 / 30), Neighbour(grey.copy(), 1 / 30)], STRAIGHT)
    assert np.degrees(found[:3]) == pytest.approx((0, 20, 0), abs=0.6)


def test_a_turn_that_cannot_be_is_not_believed():
    scene = scenery(6)
    grey = shown(scene, np.zeros(3))
    slow, fast = (Neighbour(shown(scene, np.array([0, 0.06, 0])), seconds) for seconds in (0.02, 0.005))
    assert motion_rate(grey, [slow], STRAIGHT)[1] == pytest.approx(3.0, abs=0.05)
    assert np.isnan(motion_rate(grey, [fast], STRAIGHT)).all(), "12 radians a second"


def test_bare_and_unlike_pictures_tell_nothing():
    grey, bare = shown(scenery(5), np.zeros(3)), np.full((480, 640), 90, np.uint8)
    assert np.isnan(motion_rate(bare, [Neighbour(grey, 1 / 30)], STRAIGHT)).all()
    assert np.isnan(motion_rate(grey, [], STRAIGHT)).all()
    assert np.isnan(motion_rate(grey, [Neighbour(bare, 1 / 30)], STRAIGHT)).all()


@given(st.integers(0, 999_999), st.tuples(*[st.floats(-0.1, 0.1)] * 3))
@settings(max_examples=30)
def test_one_motion_is_found_among_pixels_of_which_a_third_go_their_own_way(seed: int, turn: tuple[float, ...]):
    rng = np.random.default_rng(seed)
    first = rng.uniform((0, 0), (640, 480), (6 * FEWEST, 2))
    second = pixels_of(Rotation.from_rotvec(turn).apply(rays(first)))
    second[::3] += rng.uniform(15, 40, (2 * FEWEST, 2)) * rng.choice((-1, 1), (2 * FEWEST, 2))
    assert later(first[1::3], motion_between(first, second)) == pytest.approx(second[1::3], abs=0.5)


@given(st.integers(0, 999_999))
@settings(max_examples=30)
def test_a_step_ahead_is_an_enlargement_beside_the_turn(seed: int):
    """What is two metres away grows by half a second's share of a step of a metre a second, about any place."""
    rng = np.random.default_rng(seed)
    first, turn = rng.uniform((0, 0), (640, 480), (200, 2)), rng.uniform(-0.03, 0.03, 3)
    motion = np.concatenate([turn, [0, 8.0, 0, 0, 0, 8.0]])
    second = later(first, motion)
    found = motion_between(first, second)
    assert later(first, found) == pytest.approx(second, abs=0.25)
    assert np.abs(later(first, np.concatenate([turn, np.zeros(6)])) - second).max() > 3


def test_few_corners_in_one_place_do_not_say_how_the_rest_of_the_picture_moves():
    rng = np.random.default_rng(2)
    first = rng.uniform((300, 200), (360, 260), (FEWEST, 2))
    second = first + np.array([6.0, 0.0]) + rng.normal(0, 0.5, first.shape)
    found = motion_between(first, second)
    assert np.abs(found[4:]).max() < 6
    assert np.abs(later(np.array([[0.0, 0.0]]), found) - np.array([6.0, 0.0])).max() < 6


@given(st.integers(0, 999_999))
@settings(max_examples=30)
def test_pixels_move_as_their_slope_says(seed: int):
    rng = np.random.default_rng(seed)
    directions = rays(rng.uniform((0, 0), (640, 480), (5, 2)))
    small = rng.uniform(-1e-5, 1e-5, 3)
    moved = pixels_of(Rotation.from_rotvec(small).apply(directions)) - pixels_of(directions)
    assert turning(directions) @ small == pytest.approx(moved, abs=1e-6)
