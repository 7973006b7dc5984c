"""Fitted depth that is bent smoothly, and a hole in what was measured."""

import numpy as np
import pytest

from pipeline.geometry.depth_following import followed

SHAPE = (60, 80)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]] / 80
TRUTH = 3 + X + 0.5 * Y
HOLE = (slice(20, 36), slice(30, 50))


def measured() -> np.ndarray:
    depth = TRUTH.copy()
    depth[HOLE] = 0
    return depth


def off(depth: np.ndarray) -> float:
    return float(np.abs(depth[HOLE] / TRUTH[HOLE] - 1).mean())


@pytest.mark.parametrize("bend", [0.05, -0.1])
def test_a_smooth_bend_is_taken_out_of_a_hole(bend: float):
    bent = TRUTH * np.exp(bend * np.cos(5 * X + 4 * Y))
    assert off(followed(bent, measured(), 8)) < 0.35 * off(bent)


def test_right_depth_stays_right_and_none_stays_none():
    assert np.allclose(followed(TRUTH, measured(), 8), TRUTH)
    assert np.allclose(followed(TRUTH, np.zeros(SHAPE), 8), TRUTH), "nothing measured, nothing added"
    assert (followed(np.zeros(SHAPE), measured(), 8) == 0).all()


def test_one_pixel_that_is_far_off_moves_little():
    wrong = measured()
    wrong[19, 40] *= 20
    assert off(followed(TRUTH, wrong, 8)) < 0.01
