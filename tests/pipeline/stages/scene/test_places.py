"""Places that two pictures show are found by what they look like, and nothing is found where nothing is."""

import cv2
import numpy as np
import pytest

from pipeline.stages.scene.places import FRAMES_A_CLIP, features_of, look_alikes, spread_out


def speckled(seed: int) -> np.ndarray:
    """A picture (480, 640, 3) of blots."""
    draw = np.random.default_rng(seed)
    coarse = draw.uniform(0, 255, (60, 80)).astype(np.float32)
    grey = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def of(*pictures: np.ndarray) -> object:
    return features_of(np.arange(len(pictures)), np.stack(pictures), (60, 80))


def test_a_picture_that_is_moved_shows_the_same_places_moved():
    moved = np.roll(speckled(1), (20, 30), axis=(0, 1))
    found = look_alikes(of(speckled(1)), of(speckled(2), moved))
    assert found is not None
    apart = found.other_at - found.at
    right = (np.abs(apart - (30, 20)) < 1).all(axis=1)
    assert right.mean() > 0.9
    assert set(found.other_rows.tolist()) == {1}
    assert set(found.rows.tolist()) == {0}


def test_pictures_of_nothing_in_common_show_no_common_place():
    assert look_alikes(of(speckled(1), speckled(3)), of(speckled(2))) is None


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_bare_picture_has_no_features(grey: int):
    bare = np.full((480, 640, 3), grey, np.uint8)
    found = of(bare)
    assert [len(at) for at in found.at.values()] == [0]
    assert look_alikes(found, of(speckled(1))) is None
    assert look_alikes(found, found) is None


@pytest.mark.parametrize("placed", [1, 2, 5, 30])
def test_frames_that_are_looked_at_have_a_camera_and_are_spread_over_the_clip(placed: int):
    registered = np.zeros(40, np.bool_)
    registered[np.arange(placed) + 3] = True
    rows = spread_out(registered)
    assert registered[rows].all()
    assert len(rows) == min(placed, FRAMES_A_CLIP)
    assert (rows[0], rows[-1]) == (3, 2 + placed)


def test_no_frame_with_a_camera_is_none_that_is_looked_at():
    assert len(spread_out(np.zeros(4, np.bool_))) == 0
