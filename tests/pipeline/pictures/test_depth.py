import numpy as np

from pipeline.pictures.depth import NO_VALUE, depth_beside_picture

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
