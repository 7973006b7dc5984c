"""The voxel grid: where a point falls, and where a voxel is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, VOXEL_SIZE, voxel_centres, voxel_index

ORIGIN = np.array([-1.0, 0.5, -FLOOR_MARGIN])


def test_the_grid_is_that_of_nyuv2():
    extent = np.array(GRID_SHAPE) * VOXEL_SIZE
    # 4.8 m by 4.8 m by 2.88 m (SSCNet, Song et al. 2017, at a quarter of its 240 x 144 x 240 cells of 2 cm).
    assert extent == pytest.approx([4.8, 4.8, 2.88])
    assert 0 < FLOOR_MARGIN < VOXEL_SIZE, "the floor at z = 0 lies in the lowest layer"


def test_the_origin_is_the_corner_of_the_first_voxel():
    assert voxel_index(ORIGIN, ORIGIN).tolist() == [0, 0, 0]
    assert voxel_index(ORIGIN + VOXEL_SIZE * 0.999, ORIGIN).tolist() == [0, 0, 0]
    assert voxel_index(ORIGIN - 1e-6, ORIGIN).tolist() == [-1, -1, -1]


def test_points_outside_of_the_grid_have_an_index_outside_of_it():
    points = np.array([[-1.0 - 0.09, 0.5, 0.0], [-1.0 + 4.81, 0.5, 0.0]])
    assert voxel_index(points, ORIGIN)[:, 0].tolist() == [-2, 60]


def test_axes_do_not_mix():
    point = ORIGIN + np.array([0.5, 1.5, 2.5]) * VOXEL_SIZE
    assert voxel_index(point, ORIGIN).tolist() == [0, 1, 2]


def test_float32_points_are_indexed_as_exactly_as_they_are_given():
    points = (ORIGIN + (np.arange(60)[:, None] + 0.5) * VOXEL_SIZE).astype(np.float32)
    found = voxel_index(points, ORIGIN.astype(np.float32))
    assert found.dtype == np.int64
    assert np.array_equal(found, np.repeat(np.arange(60)[:, None], 3, axis=1))


def test_centres_lie_half_a_voxel_from_the_corner_and_a_voxel_apart():
    centres = voxel_centres(ORIGIN)
    assert centres.shape == (*GRID_SHAPE, 3)
    assert centres[0, 0, 0] == pytest.approx(ORIGIN + VOXEL_SIZE / 2)
    assert centres[-1, -1, -1] == pytest.approx(ORIGIN + np.array(GRID_SHAPE) * VOXEL_SIZE - VOXEL_SIZE / 2)
    steps = [np.diff(centres, axis=axis)[..., axis] for axis in range(3)]
    assert all(np.allclose(step, VOXEL_SIZE) for step in steps)


def test_a_grid_of_another_shape_has_centres_too():
    assert voxel_centres(np.zeros(3), (2, 3, 4))[1, 2, 3] == pytest.approx([0.12, 0.2, 0.28])


@given(st.tuples(*[st.floats(-20, 20)] * 3))
@settings(max_examples=15)
def test_the_centre_of_a_voxel_lies_in_that_voxel(origin: tuple[float, float, float]):
    shape = (7, 5, 3)
    index = voxel_index(voxel_centres(np.array(origin), shape), np.array(origin))
    assert np.array_equal(index, np.moveaxis(np.indices(shape), 0, -1))


@given(st.tuples(*[st.integers(-100, 100)] * 3), st.tuples(*[st.floats(0.01, 0.99)] * 3))
@settings(max_examples=30)
def test_moving_by_whole_voxels_moves_the_index_by_as_many(step: tuple[int, int, int], inside: tuple[float, ...]):
    point = ORIGIN + (np.array(step) + inside) * VOXEL_SIZE
    assert voxel_index(point, ORIGIN).tolist() == list(step)
