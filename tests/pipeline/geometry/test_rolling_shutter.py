"""Pictures whose rows were exposed one after another while the camera turned, made from ones of a single moment."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.geometry.picture_motion import FOCAL, later, pixels_of, rays
from pipeline.geometry.rolling_shutter import MOST_ENLARGED, Rectification, needed
from tests.pipeline.geometry.test_picture_motion import WIDE, Grey, scenery

INTRINSICS = np.array([[[FOCAL, 0, 320], [0, FOCAL, 240], [0, 0, 1]]])
MOVED = np.zeros(6)

TURNS = st.tuples(*[st.floats(-0.02, 0.02)] * 3).map(np.array)
LENSES = st.sampled_from([STRAIGHT, Distortion(-0.1), Distortion(0.03)])


def of_turn(turn: Float64s) -> Float64s:
    """Return the motion of one picture (1, 9) that turns and does nothing else."""
    return np.concatenate([turn, MOVED])[None]


def filmed(scene: Grey, turn: Float64s, lens: Distortion = STRAIGHT) -> np.ndarray:
    """Rows that see what is ahead after it has turned by their share of ``turn``: (480, 640, 3)."""
    rows, columns = np.indices((480, 640)) + 0.5
    share = rows.ravel()[:, None] / 480 - 0.5
    ideal = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))
    before = pixels_of(Rotation.from_rotvec(-turn * share).apply(rays(ideal))) - (320, 240) + WIDE / 2 - 0.5
    across, down = before.T.reshape(2, 480, 640).astype(np.float32)
    return np.repeat(cv2.remap(scene, across, down, cv2.INTER_CUBIC)[..., None], 3, 2)


@pytest.mark.parametrize("turn", [(0, 0.02, 0), (0.015, 0, 0), (0, 0, 0.02), (-0.008, 0.012, -0.01)])
@pytest.mark.parametrize("lens", [STRAIGHT, Distortion(-0.1)])
def test_a_rectified_picture_is_that_of_one_moment(turn: tuple[float, ...], lens: Distortion):
    scene, turned = scenery(7), np.array([[*turn, *MOVED]])
    enlarged = needed(lens, turned)
    rectified = Rectification(lens, turned, enlarged).rectified(filmed(scene, turned[0, :3], lens)[None])
    still = Rectification(lens, 0 * turned, enlarged).rectified(filmed(scene, 0 * turned[0, :3], lens)[None])
    rolled = Rectification(lens, 0 * turned, enlarged).rectified(filmed(scene, turned[0, :3], lens)[None])
    off, before = (np.abs(rgb.astype(float) - still)[0, 5:-5, 5:-5].mean() for rgb in (rectified, rolled))
    assert off < 1.5
    assert before > 4


@given(TURNS, LENSES, st.integers(0, 999_999))
@settings(max_examples=40)
def test_a_pixel_is_where_its_row_sees_it(turn: Float64s, lens: Distortion, seed: int):
    """What the film shows at a place is what was there, turned by the share of that place's own row."""
    pixels = np.random.default_rng(seed).uniform((20, 20), (620, 460), (50, 2))
    film = Rectification(lens, of_turn(turn), 1.0).filmed(0, pixels)
    share = film[:, 1:] / 480 - 0.5
    assert film == pytest.approx(lens.bent(later(pixels, of_turn(turn) * share)), abs=1e-3)


@given(TURNS, LENSES)
@settings(max_examples=40, deadline=None)
def test_an_enlarged_picture_has_no_empty_pixels_unless_too_much_is_needed(turn: Float64s, lens: Distortion):
    enlarged = needed(lens, of_turn(turn))
    assert 1 <= enlarged <= MOST_ENLARGED
    corners = np.array([[0.5, 0.5], [639.5, 0.5], [0.5, 479.5], [639.5, 479.5], [320, 0.5], [320, 479.5]])
    film = Rectification(lens, of_turn(turn), enlarged).filmed(0, corners)
    if enlarged < MOST_ENLARGED:
        assert film.min() > -0.5
        assert (film < (640.5, 480.5)).all()


@given(TURNS)
@settings(max_examples=5)
def test_depth_of_a_plane_is_what_the_middle_rows_moment_sees(turn: Float64s):
    """A plane at z = 2 of the middle row's camera; each row of the film has depth along its own axis."""
    rows, columns = np.indices((480, 640)) + 0.5
    pixels = np.stack([columns.ravel(), rows.ravel()], 1)
    share = pixels[:, 1:] / 480 - 0.5
    axis = Rotation.from_rotvec(turn * share).apply(np.array([0, 0, 1.0]))
    film = (2 / np.einsum("ki,ki->k", rays(pixels), axis)).reshape(1, 480, 640)
    rectified = Rectification(STRAIGHT, of_turn(turn), needed(STRAIGHT, of_turn(turn)))
    depth = rectified.rectified_depth(film, INTRINSICS)
    assert depth[0, 8:-8, 8:-8] == pytest.approx(2.0, abs=2e-3)
    labels = np.arange(480, dtype=np.uint16)[None, :, None].repeat(640, 2)
    assert set(np.unique(rectified.rectified_maps(labels))) <= set(range(480)), "names are not mixed"


def test_nothing_is_done_where_nothing_turns_or_bends():
    rgb = np.random.default_rng(0).integers(0, 256, (2, 480, 640, 3)).astype(np.uint8)
    assert Rectification().rectified(rgb) is rgb
    still = Rectification(STRAIGHT, np.zeros((2, 9)))
    assert np.array_equal(still.rectified(rgb), rgb)
    assert needed(STRAIGHT, np.zeros((2, 9))) == 1


def test_black_columns_stay_black_and_columns():
    rgb = np.full((1, 480, 640, 3), 120, np.uint8)
    rgb[:, :, :100] = rgb[:, :, 540:] = 0
    turned = Rectification(STRAIGHT, of_turn(np.array([0.0, 0.02, 0.0])), 1.03).rectified(rgb)
    black = (turned == 0).all(axis=(0, 1, 3))
    assert black[:90].all()
    assert black[-90:].all()
    assert (turned[:, :, ~black] > 60).all(), "what shows something in part of its rows is black altogether"
    assert 380 < (~black).sum() < 460


def test_rows_of_the_store_say_what_was_done():
    lens, motions = Distortion(-0.08), np.random.default_rng(0).normal(0, 0.01, (2, 9))
    made = Rectification(lens, motions, 1.02)
    again = Rectification.of_rows(lens.as_row(), made.as_rows(2))
    assert again.enlarged == 1.02
    assert again.motions is not None
    assert np.array_equal(again.motions, motions)
    assert np.array_equal(again.of_frames(np.array([1])).as_rows(1), made.as_rows(2)[1:])
    assert Rectification.of_rows(lens.as_row(), None) == Rectification(lens)
    assert made.rectified_intrinsics(INTRINSICS)[0, 0, 0] == pytest.approx(1.02 * lens.enlarged * FOCAL)
