from typing import get_args

import numpy as np
import pytest

from pipeline.tours.effects.layout import Layout
from pipeline.tours.effects.settings import PictureFormat


def picture_for(layout: Layout) -> np.ndarray:
    width, height = layout.camera_size
    return np.random.default_rng(1).uniform(50, 200, (height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("name", get_args(PictureFormat))
def test_the_cameras_picture_lies_where_the_layout_says(name: PictureFormat):
    layout = Layout.of(name)
    made, picture = layout.placed(picture_for(layout)), picture_for(layout)
    assert made.shape == (layout.height, layout.width, 3)
    assert layout.width % 2 == layout.height % 2 == 0  # what yuv420p takes
    np.testing.assert_array_equal(made[~layout.outside()], picture.reshape(-1, 3))
    assert layout.filled(np.zeros((480, 640, 3), np.float32)).shape == made.shape


def test_letterboxes_are_black_and_sides_a_dim_blur():
    letterbox, sides = Layout.of("letterbox"), Layout.of("side_bars")
    assert (letterbox.placed(picture_for(letterbox))[letterbox.outside()] == 0).all()
    blurred = sides.placed(picture_for(sides))[sides.outside()]
    assert 0.5 < blurred.mean() / 125 < 0.7
    assert blurred.std() < 10


def test_ordinary_pictures_pass_as_they_are():
    layout = Layout.of("4:3")
    picture = picture_for(layout)
    assert layout.placed(picture) is picture
    assert not layout.outside().any()
