"""Do two pictures show the same scene? Known motions, and pictures that have nothing in common."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages
from pipeline.contract.records import Box
from pipeline.stages.clips.correspondence import correspondence, film_of, flow, in_view
from tests.pipeline.videos import walk

SIZE = (160, 120)


def grey(seed: int, count: int = 1, step: float = 0.0) -> list[GrayImages]:
    """Pictures of 160 x 120 of a textured wall that moves by ``step`` pixels."""
    frames = walk(seed, count, step=step, size=SIZE)
    return [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames]


def still() -> NDArray[np.float32]:
    return np.zeros((SIZE[1], SIZE[0], 2), np.float32)


@pytest.mark.parametrize("step", [1.0, 3.0, 6.0])
def test_flow_is_how_far_pixels_went(step: float):
    first, second = grey(1, 2, step)
    found = flow(first, second)
    assert (found.shape, found.dtype) == ((120, 160, 2), np.float32)
    # The camera pans to the right, so that the wall goes to the left. DIS is good to a quarter of a pixel.
    inner = found[20:-20, 20:-20]
    assert np.median(inner[..., 0]) == pytest.approx(-step, abs=0.25)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.25)


def test_a_picture_corresponds_to_itself():
    (first,) = grey(1)
    assert correspondence(first, first, [still()]) == pytest.approx(1, abs=0.02)


def test_a_moved_picture_is_found_again_along_the_flow_and_not_without_it():
    first, second = grey(2, 2, 6.0)
    assert correspondence(first, second, [flow(first, second)]) > 0.8
    assert correspondence(first, second, [still()]) < 0.6


def test_flows_of_several_steps_are_followed_from_one_to_the_next():
    frames = grey(3, 5, 4.0)
    steps = [flow(a, b) for a, b in pairwise(frames)]
    along = correspondence(frames[0], frames[-1], steps)
    assert along > 0.7
    assert along > correspondence(frames[0], frames[-1], steps[:2]), "half of the way leads elsewhere"


def test_other_scenes_do_not_correspond():
    for seed in range(4, 8):
        first, second = grey(seed)[0], grey(seed + 10)[0]
        # 0.32 is where the stage draws the line.
        assert correspondence(first, second, [flow(first, second)]) < 0.32


def test_another_brightness_or_contrast_is_the_same_scene():
    (first,) = grey(1)
    paler = (first.astype(np.float32) * 0.6 + 60).astype(np.uint8)
    assert correspondence(first, paler, [still()]) == pytest.approx(1, abs=0.05)


def test_a_negative_is_the_opposite():
    (first,) = grey(1)
    assert correspondence(first, 255 - first, [still()]) < -0.9


def test_where_too_little_has_texture_nothing_speaks_against_the_same_scene():
    bare = np.full((120, 160), 128, np.uint8)
    assert correspondence(bare, bare, [still()]) == 1
    assert correspondence(bare, bare // 2, [still()]) == 1
    (textured,) = grey(1)
    assert correspondence(bare, textured, [still()]) < 0.32, "a picture that comes up on a bare one is another"


def test_what_leaves_the_view_has_no_say():
    (first,) = grey(1)
    away = still()
    away[..., 0] = 1000
    assert correspondence(first, first, [away]) == 1, "all pixels left the view, so that nothing can be told"


def test_of_a_turn_less_and_less_stays_in_view():
    step = np.zeros((120, 160, 2), np.float32)
    step[..., 0] = -40
    # a quarter of the picture leaves it each time
    assert in_view([step] * 5) == pytest.approx([0.75, 0.5, 0.25, 0, 0], abs=0.01)


def test_of_a_film_between_bars_nothing_else_is_compared():
    (film,) = grey(1)
    same = np.full((120, 160), 90, np.uint8)
    ours, other = same.copy(), same.copy()
    ours[:, 55:105], other[:, 55:105] = film[:, 55:105], grey(2)[0][:, 55:105]
    box = Box(55 / 160, 0.0, 105 / 160, 1.0)
    assert film_of(ours, box).size == pytest.approx(ours.size, rel=0.02), "flow is followed as far as in any other film"
    assert (
        correspondence(film_of(ours, box), film_of(other, box), [flow(film_of(ours, box), film_of(other, box))]) < 0.32
    )


@pytest.mark.parametrize("left", [0.03, 0.1, 0.2, 0.21, 0.3])
@pytest.mark.parametrize("across", [True, False])
def test_flow_is_found_in_films_however_flat_or_narrow(left: float, across: bool):
    first, second = grey(1, 2, 1.0)
    sides = (0.5 - left / 2, 0.5 + left / 2)
    box = Box(0.0, sides[0], 1.0, sides[1]) if across else Box(sides[0], 0.0, sides[1], 1.0)
    before, after = film_of(first, box), film_of(second, box)
    # OpenCV's DIS ends the process (a segmentation fault) on pictures of 31 rows and less.
    assert min(before.shape) >= 32
    assert flow(before, after).shape == (*before.shape, 2)
