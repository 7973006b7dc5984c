"""Rays are shared among voxels as the normal distribution of their ends says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import truncnorm

from pipeline.geometry.ray_ends import ENDED, HIDDEN, PASSED, REACH, WHOLE_RAY, ended_by, spread_ends

SHAPE = (30, 30, 30)
CENTRE = np.array([15.0, 15.0, 15.0])
STRAIGHT = np.eye(3)


def spread(ray: np.ndarray, depth: float, deviation: float, votes: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The only pixel of a picture, which looks along a ray from the middle of the grid."""
    counts, rays = np.zeros((*SHAPE, 2), np.uint64), np.zeros((*SHAPE, 3), np.uint32)
    pixel = np.array([0.5, 0.5, 1.0])
    along = np.outer(ray, pixel) / (pixel @ pixel)  # takes the pixel to the ray
    one = np.ones((1, 1), np.uint8)
    spread_ends(np.full((1, 1), depth, np.float32), one, votes * one, along, CENTRE, deviation, counts, rays)
    return counts, rays


def unit(direction: tuple[float, float, float]) -> np.ndarray:
    ray = np.add(direction, (0, 0, 1e-3))
    return np.asarray(ray / max(np.linalg.norm(ray), 1e-3))


def test_a_half_has_ended_at_the_depth_and_all_at_the_farthest():
    assert [ended_by(share) for share in (-1.0, 0.0, 0.5, 1.0, np.inf)] == [0, 0, WHOLE_RAY // 2, WHOLE_RAY, WHOLE_RAY]
    shares = [ended_by(share) for share in np.linspace(0, 1, 201)]
    assert shares == sorted(shares)
    assert ended_by(0.5 + 1 / (2 * REACH)) / WHOLE_RAY == pytest.approx(0.8427, abs=1 / WHOLE_RAY), "a deviation on"


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.floats(2, 12), st.floats(0.001, 0.05), st.integers(1, 255))
@settings(max_examples=80, deadline=None)
def test_every_ray_is_whole_in_each_voxel_and_ends_once(direction: tuple, depth: float, deviation: float, votes: int):
    ray = unit(direction)
    counts, rays = spread(ray, depth, deviation, votes)
    met = rays.any(axis=-1)
    assert (rays[met].sum(axis=-1) == WHOLE_RAY).all()
    assert rays[..., ENDED].sum() == WHOLE_RAY
    assert np.array_equal(counts[..., 1], rays[..., ENDED].astype(np.uint64) * np.uint64(votes))
    assert not counts[..., 0].any()


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.floats(4, 12), st.floats(0.01, 0.05))
@settings(max_examples=40, deadline=None)
def test_shares_are_those_of_depths_that_are_drawn(direction: tuple, depth: float, deviation: float):
    ray = unit(direction)
    _, rays = spread(ray, depth, deviation)
    quantiles = (np.arange(4000) + 0.5) / 4000
    drawn = np.float32(depth) * (1 + deviation * truncnorm.ppf(quantiles, -REACH, REACH))
    cells = np.floor(CENTRE + drawn[:, None] * ray).astype(int)
    expected = np.zeros(SHAPE)
    np.add.at(expected, tuple(cells.T), 1 / len(drawn))
    assert np.abs(rays[..., ENDED] / WHOLE_RAY - expected).max() < 1.5 / WHOLE_RAY


def test_what_lies_before_is_passed_and_what_lies_behind_is_hidden():
    _, rays = spread(np.array([0.0, 0.0, 1.0]), 7.5, 0.08)  # ends in voxel 22, with a deviation of 0.6 voxels
    column = rays[15, 15]
    assert column[22, ENDED] > column[21, ENDED] == column[23, ENDED] > 0
    assert column[21, PASSED] > column[21, HIDDEN]
    assert column[23, HIDDEN] > column[23, PASSED]


def test_a_ray_whose_end_begins_outside_the_grid_has_ended_in_part():
    counts, rays = np.zeros((*SHAPE, 1), np.uint64), np.zeros((*SHAPE, 3), np.uint32)
    one, along = np.ones((1, 1), np.uint8), np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1.0]])
    behind = np.array([15.5, 15.5, -10.0])  # it ends on the border of the grid, half of it before
    spread_ends(np.full((1, 1), 10, np.float32), 0 * one, one, along, behind, 0.05, counts, rays)
    assert rays[15, 15, 0, HIDDEN] == WHOLE_RAY // 2
    assert rays[..., ENDED].sum() == WHOLE_RAY // 2


@pytest.mark.parametrize("nothing", [0.0, -1.0, np.inf, np.nan, 900.0])
def test_pixels_without_depth_and_ends_outside_the_grid_are_not_counted(nothing: float):
    _, rays = spread(np.array([0.0, 0.0, 1.0]), nothing, 0.01)
    assert not rays.any()
