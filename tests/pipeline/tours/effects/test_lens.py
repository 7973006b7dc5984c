import numpy as np
import pytest

from pipeline.tours.camera import intrinsics_of
from pipeline.tours.effects.lens import Lens, bends_at_most

CENTRED = intrinsics_of(65)
PIXELS = np.stack(np.meshgrid(np.linspace(0, 640, 33), np.linspace(0, 480, 25)), axis=-1).reshape(-1, 2)


def test_without_distortion_a_lens_is_a_pinhole():
    rays = Lens(CENTRED).directions(np.array([[320, 240], [0, 240]], np.float32))
    np.testing.assert_allclose(rays, [[0, 0, 1], [-np.tan(np.radians(32.5)), 0, 1]], atol=1e-6)


def test_a_point_is_shown_where_simple_radial_says():
    # At half a metre a metre ahead r is 0.5, and 1 - 0.2 * 0.25 = 0.95.
    shown = Lens(CENTRED, -0.2).project(np.array([[0.5, 0.0, 1.0], [0.6, 0.8, 2.0]]))
    focal = CENTRED[0, 0]
    np.testing.assert_allclose(shown[0], [320 + 0.475 * focal, 240], rtol=1e-6)
    np.testing.assert_allclose(shown[1], [320 + 0.3 * 0.95 * focal, 240 + 0.4 * 0.95 * focal], rtol=1e-6)


@pytest.mark.parametrize("k1", [-0.2, -0.05, 0.05])
def test_every_pixel_shows_what_lies_in_its_direction(k1: float):
    lens = Lens(CENTRED + np.array([[0, 0, 12], [0, 0, -9], [0, 0, 0]], np.float32), k1)
    np.testing.assert_allclose(lens.project(7 * lens.directions(PIXELS.astype(np.float32))), PIXELS, atol=2e-3)


def test_the_strongest_barrel_of_a_wide_lens_still_shows_one_direction_at_every_pixel():
    wide = intrinsics_of(90)
    limit = bends_at_most((640, 480), float(wide[0, 0]), 0)
    assert -0.3 < limit < -0.05
    lens = Lens(wide, limit)
    np.testing.assert_allclose(lens.project(lens.directions(PIXELS.astype(np.float32))), PIXELS, atol=2e-2)
    across = lens.directions(np.stack([np.linspace(320, 640, 50), np.linspace(240, 480, 50)], -1).astype(np.float32))
    assert (np.diff(across[:, 0]) > 0).all()


def test_a_part_of_the_picture_and_a_zoom_look_where_the_lens_did():
    lens = Lens(CENTRED, -0.15)
    part = lens.cropped((100, 50), (2, 2))
    np.testing.assert_allclose(
        part.directions(np.array([[40, 60]], np.float32)), lens.directions(np.array([[120, 80]], np.float32)), rtol=1e-5
    )
    np.testing.assert_allclose(lens.zoomed(2).intrinsics[0], [2 * CENTRED[0, 0], 0, 320])
    assert lens.zoomed(2).k1 == -0.15
