import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.tours.atlas import LEVELS, Atlas
from pipeline.tours.camera import intrinsics_of, pose
from pipeline.tours.mesh import ATLAS_WIDTH, build_mesh
from pipeline.tours.painter import (
    SKY_SIZE,
    Painter,
    paint_sky,
    pixel_centres,
    sky_colour,
    title_card,
    with_noise,
)
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import rectangle, thing

from .shapes import GREY

NO_CLOUDS = np.zeros((SKY_SIZE, SKY_SIZE), np.float32)
AHEAD = pose(np.zeros(3), 0.0, 0.0, 0.0)
"""Looks along +x."""
INTRINSICS = intrinsics_of(90)


def painter_of(distance: float, half: float = 1.0, greys: tuple[int, ...] = (0, 40, 80, 120, 160)) -> Painter:
    """A square of 2 x half metres straight ahead, whose atlas shows which of its levels is looked at."""
    wall = rectangle((distance, half, -half), (0, -2 * half, 0), (0, 0, 2 * half))
    mesh = build_mesh((thing(SemanticClass.WALL, ((wall,), GREY)),))
    levels = (np.full((mesh.atlas_height // 2**k, ATLAS_WIDTH // 2**k, 3), greys[k], np.uint8) for k in range(LEVELS))
    return Painter(mesh, RayCaster(mesh), Atlas(tuple(levels)), INTRINSICS, NO_CLOUDS)


def test_pixels_are_centred_at_halves_row_by_row():
    pixels = pixel_centres()
    assert pixels.shape == (480 * 640, 2)
    np.testing.assert_array_equal(pixels[[0, 1, 640, -1]], [[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [639.5, 479.5]])


@pytest.mark.parametrize("pixels_per_texel", [0.5, 1.0, 2.0, 3.0, 8.0, 99.0])
def test_the_atlas_level_has_texels_as_large_as_the_pixels(pixels_per_texel: float):
    distance = pixels_per_texel * 320 * GREY.texel
    view = painter_of(distance).view(AHEAD)
    level = np.clip(np.log2(pixels_per_texel), 0, LEVELS - 1)
    np.testing.assert_allclose(view[240, 320], 40 * level, atol=0.1)


def test_a_square_is_painted_where_it_is_and_the_sky_around_it():
    view = painter_of(4.0, greys=(200,) * LEVELS).view(AHEAD)
    # One metre at four metres' distance and a focal length of 320 pixels: 80 pixels either side of the middle.
    inside = np.zeros((480, 640), bool)
    inside[160:320, 240:400] = True
    assert (view[161:319, 241:399] == 200).all()
    assert (view[~inside][:, 2] > view[~inside][:, 0]).mean() > 0.99
    assert view.shape == (480, 640, 3)


def test_a_pixel_on_an_edge_is_the_mean_of_four_looks():
    # The left edge of the square lies at column 240.25 (79.75 pixels from the middle): of the four looks into that
    # pixel, at 0.125, 0.625, 0.875 and 0.375, three meet the square.
    half = 79.75 / 320 * 4
    painter = painter_of(4.0, half, greys=(200,) * LEVELS)
    view = painter.view(AHEAD)
    sky = sky_colour(NO_CLOUDS, np.array([[1, 79.5 / 320, 0.0]]))[0]
    np.testing.assert_allclose(view[240, 240], 0.75 * 200 + 0.25 * sky, atol=1)


def test_the_sky_is_blue_above_and_pale_at_the_horizon():
    up, level = sky_colour(NO_CLOUDS, np.array([[0, 0, 1.0], [1.0, 0, 0]]))
    np.testing.assert_allclose(up, [80, 135, 225])
    np.testing.assert_allclose(level, [190, 215, 240])


@settings(max_examples=40)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 9))
def test_the_sky_depends_on_the_direction_alone(x: float, y: float, z: float, length: float):
    direction = np.array([[x, y, z + 1.5]])
    once, longer = sky_colour(NO_CLOUDS, direction), sky_colour(NO_CLOUDS, length * direction)
    np.testing.assert_allclose(longer, once, rtol=1e-5)
    assert (once >= 0).all()
    assert (once <= 255).all()


def test_clouds_are_whiter_than_the_sky_and_paint_the_same_for_the_same_draws():
    clouds = paint_sky(np.random.default_rng(3))
    assert clouds.shape == (SKY_SIZE, SKY_SIZE)
    assert 0 == clouds.min() < clouds.max() == 1
    np.testing.assert_array_equal(paint_sky(np.random.default_rng(3)), clouds)
    overcast = sky_colour(np.ones_like(clouds), np.array([[0, 0, 1.0]]))
    np.testing.assert_allclose(overcast, [[246, 247, 250]])


def test_noise_has_its_deviation_and_its_seed():
    grey = np.full((480, 640, 3), 128, np.float32)
    noisy = with_noise(grey, 4.0, (5, 7))
    error = noisy.astype(float) - 128
    assert error.mean() == pytest.approx(0, abs=0.05)
    # Rounding to whole levels adds a twelfth to the variance; 0.9 million samples hold a thousandth.
    assert error.std() == pytest.approx(np.sqrt(16 + 1 / 12), rel=0.01)
    np.testing.assert_array_equal(with_noise(grey, 4.0, (5, 7)), noisy)
    assert (with_noise(grey, 4.0, (5, 8)) != noisy).any()


def test_without_noise_a_picture_is_rounded_and_kept_in_range():
    picture = np.array([[[-3.0, 0.4, 0.6], [254.6, 255.4, 300.0]]], np.float32)
    np.testing.assert_array_equal(with_noise(picture, 0.0, (0, 0)), [[[0, 0, 1], [255, 255, 255]]])


def test_a_title_card_has_bright_words_in_its_frame_on_a_darker_gradient():
    card = title_card(np.random.default_rng(0), "House Tour")
    assert card.shape == (480, 640, 3)
    assert (card[175:305, 75:565].min(axis=2) > 230).sum() > 1000
    assert card[:160].max() < 205
    longer = title_card(np.random.default_rng(0), "House Tour II")
    words = np.flatnonzero((card != longer).any(axis=(1, 2)))
    assert words.min() > 190, "words differ, the frame does not"
    assert words.max() < 250
