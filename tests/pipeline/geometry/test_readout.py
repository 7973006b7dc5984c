"""Walks whose pictures were exposed row by row, with exact points: the readout is found, and how sure it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s, Int64s
from pipeline.geometry.picture_motion import FOCAL, later
from pipeline.geometry.readout import Bundle, Readout, Sightings, find_readout, of_frames

FRAMES, POINTS, STEP_S = 10, 250, 0.3


def walk(seed: int, swing: float) -> tuple[Bundle, Float64s]:
    """Cameras on a way through a cloud of points that swing to and fro by ``swing`` radians, and their turn rates."""
    rng = np.random.default_rng(seed)
    moment = np.arange(FRAMES) * STEP_S
    phase = rng.uniform(0, 2 * np.pi, 3)
    speed = np.array([2.0, 3.5, 1.5])
    angles = swing * np.array([0.3, 1.0, 0.1]) * np.sin(moment[:, None] * speed + phase)
    rates = np.zeros((FRAMES, 9))
    rates[:, :3] = swing * np.array([0.3, 1.0, 0.1]) * speed * np.cos(moment[:, None] * speed + phase)
    rotation = Rotation.from_rotvec(angles).as_matrix()
    centres = np.stack([0.25 * moment, 0.05 * np.sin(moment), 0.4 * moment], 1)
    points = rng.uniform((-2.5, -1.5, 3.0), (2.5, 1.5, 7.0), (POINTS, 3))
    return Bundle(rotation, -np.einsum("nij,nj->ni", rotation, centres), points, np.log(FOCAL)), rates


def sightings(true: Bundle, rates: Float64s, readout: float, noise: float, seed: int) -> tuple[Sightings, Int64s]:
    """What row-by-row exposure shows: each pixel later by its own row's share of the readout; and the points seen."""
    frame, point = (grid.ravel() for grid in np.indices((FRAMES, POINTS)))
    nowhere = Sightings(frame, point, np.full((len(frame), 2), 240.0), rates)
    seen = true.seen(nowhere)
    middle = FOCAL * seen[:, :2] / seen[:, 2:] + (320, 240)
    film = middle
    for _ in range(5):
        film = later(middle, rates[frame] * (readout * (film[:, 1:] / 480 - 0.5)))
    film = film + noise * np.random.default_rng(seed).standard_normal(film.shape)
    inside = (seen[:, 2] > 0.5) & (film > 0).all(axis=1) & (film < (640, 480)).all(axis=1)
    return of_frames(Sightings(frame[inside], point[inside], film[inside], rates), np.arange(FRAMES))


def disturbed(true: Bundle, kept: Int64s, seed: int) -> Bundle:
    """Cameras, points and focal length near the truth, as mapping leaves them."""
    rng = np.random.default_rng(seed)
    turned = Rotation.from_rotvec(rng.normal(0, 0.003, (FRAMES, 3))).as_matrix() @ true.rotation
    moved = true.position + rng.normal(0, 0.01, (FRAMES, 3))
    points = true.points[kept]
    return Bundle(turned, moved, points + rng.normal(0, 0.02, points.shape), true.log_focal + 0.03)


def found_of(seed: int, swing: float, readout: float, noise: float = 0.3) -> Readout:
    true, rates = walk(seed, swing)
    seen, points = sightings(true, rates, readout, noise, seed)
    return find_readout(disturbed(true, points, seed), seen)


@pytest.mark.parametrize("readout", [0.0, 0.008, 0.02, 0.03, -0.02])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_readout_of_a_walk_is_found(seed: int, readout: float):
    found = found_of(seed, 0.35, readout)
    assert found.seconds == pytest.approx(readout, abs=0.0012)
    assert found.deviation < 0.001
    assert found.focal == pytest.approx(FOCAL, rel=0.01)


@pytest.mark.parametrize("aspect", [0.8, 1.3])
def test_pixels_need_not_be_square(aspect: float):
    true, rates = walk(2, 0.35)
    seen, points = sightings(true, rates, 0.0, 0.3, 2)
    filmed = replace(seen, pixel=(seen.pixel - (320, 240)) * (1, aspect) + (320, 240))
    start = disturbed(true, points, 2)
    square, stretched = (find_readout(replace(start, aspect=each), filmed) for each in (1.0, aspect))
    assert stretched.focal == pytest.approx(FOCAL, rel=0.01)
    assert stretched.cost < 0.5 * square.cost, "what its cost is compared for"


def test_a_camera_that_hardly_turns_says_that_it_does_not_know():
    found = found_of(3, 0.002, 0.02)
    assert found.deviation > 0.008, "a fifth of a degree a second shears no picture by a tenth of a pixel"


def test_mismatches_do_not_count():
    true, rates = walk(4, 0.35)
    seen, points = sightings(true, rates, 0.02, 0.3, 4)
    rng = np.random.default_rng(4)
    wrong = rng.random(len(seen.pixel)) < 0.1
    seen = replace(seen, pixel=seen.pixel + wrong[:, None] * rng.uniform(8, 40, seen.pixel.shape))
    found = find_readout(disturbed(true, points, 4), seen)
    assert found.seconds == pytest.approx(0.02, abs=0.0015)


@pytest.mark.parametrize("farther", [200, 1e9])
def test_a_camera_of_which_nothing_agrees_leaves_the_others_to_tell(farther: float):
    true, rates = walk(5, 0.35)
    seen, points = sightings(true, rates, 0.02, 0.3, 5)
    lost = replace(seen, pixel=np.where(seen.frame[:, None] == 4, farther + seen.pixel[::-1], seen.pixel))
    assert lost.drift.shape == seen.pixel.shape
    assert find_readout(disturbed(true, points, 5), lost).seconds == pytest.approx(0.02, abs=0.002)


@given(st.integers(0, 999))
@settings(max_examples=8)
def test_the_deviation_says_how_far_off_it_is(seed: int):
    found = found_of(seed, 0.1, 0.015, 0.6)
    assert abs(found.seconds - 0.015) < 5 * found.deviation + 0.0005


def test_sightings_of_some_frames_are_of_points_that_two_of_them_see():
    seen = Sightings(
        np.array([0, 1, 1, 2, 3, 3]), np.array([0, 0, 1, 1, 1, 2]), np.arange(12.0).reshape(6, 2), np.eye(4, 3)
    )
    kept, points = of_frames(seen, np.array([1, 3]))
    assert points.tolist() == [1]
    assert (kept.frame.tolist(), kept.point.tolist()) == ([0, 1], [0, 0])
    assert kept.pixel.tolist() == [[4, 5], [8, 9]]
    assert kept.rates.tolist() == np.eye(4, 3)[[1, 3]].tolist()
