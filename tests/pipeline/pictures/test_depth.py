import numpy as np
import pytest

from pipeline.pictures.depth import NO_VALUE, depth_beside_picture
from pipeline.pictures.layout import GAP

from .colours import colours_of


def test_pixels_without_depth_are_grey():
    rgb, depth = np.zeros((480, 640, 3), np.uint8), np.full((96, 128), 2.0, np.float32)
    depth[:, 64:] = 0
    picture = np.asarray(depth_beside_picture(rgb, depth, height=240))
    assert tuple(picture[120, 320 + 8 + 300]) == NO_VALUE
    assert tuple(picture[120, 320 + 8 + 20]) != NO_VALUE


def test_depth_without_a_single_value_can_be_drawn():
    picture = depth_beside_picture(np.zeros((480, 640, 3), np.uint8), np.zeros((96, 128), np.float32))
    assert NO_VALUE in colours_of(picture)


def test_near_is_warm_and_far_is_cold():
    depth = np.linspace(1, 5, 128, dtype=np.float32)[None].repeat(96, axis=0)
    picture = np.asarray(depth_beside_picture(np.zeros((480, 640, 3), np.uint8), depth, height=240)).astype(int)
    near, far = picture[120, 328 + 10], picture[120, 328 + 310]
    assert near[0] > near[2]
    assert far[2] > far[0]


def test_the_picture_is_left_of_its_depth():
    rgb = np.full((480, 640, 3), (10, 200, 90), np.uint8)
    picture = np.asarray(depth_beside_picture(rgb, np.ones((96, 128), np.float32), height=120))
    assert (picture[:120, :160] == (10, 200, 90)).all()
    assert picture.shape[1] == 160 + GAP + 160 + GAP + 70


def test_a_single_far_value_does_not_make_the_rest_one_colour():
    depth = np.linspace(1, 2, 96 * 128, dtype=np.float32).reshape(96, 128)
    depth[0, 0] = 1000
    drawn = np.asarray(depth_beside_picture(np.zeros((480, 640, 3), np.uint8), depth, height=240))[:240, 328:648]
    assert np.abs(drawn[5, 160].astype(int) - drawn[235, 160]).max() > 100


@pytest.mark.parametrize(("nearest", "farthest"), [(2.0, 2.0), (0.001, 900.0)])
def test_depth_of_one_value_or_of_any_range_can_be_drawn(nearest: float, farthest: float):
    depth = np.full((4, 4), nearest, np.float32)
    depth[2:] = farthest
    picture = np.asarray(depth_beside_picture(np.zeros((48, 64, 3), np.uint8), depth, height=24))
    assert tuple(picture[2, 45]) != NO_VALUE
    assert tuple(picture[22, 45]) != NO_VALUE
