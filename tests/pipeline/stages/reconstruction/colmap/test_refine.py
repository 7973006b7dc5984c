import numpy as np
import pytest

from pipeline.stages.reconstruction.colmap.refine import fill_planes
from pipeline.stages.reconstruction.colmap.settings import PlaneSettings
from tests.pipeline.stages.reconstruction.colmap.walls import sideways, wall_depth

SETTINGS = PlaneSettings()
WALL = wall_depth(sideways(0)[0], (0.5, -0.2, 0.843), 2.0).astype(np.float32)
EVEN = np.full(WALL.shape, 0.5, np.float32)


def test_a_gap_in_an_even_wall_is_filled_with_the_wall():
    depth = WALL.copy()
    depth[20:100, 30:130] = 0
    # One plane, no noise: what is left is float32.
    np.testing.assert_allclose(fill_planes(depth, EVEN, SETTINGS), WALL, rtol=1e-4)


def test_a_few_wrong_depths_do_not_bend_the_wall():
    rng = np.random.default_rng(0)
    depth = np.where(rng.random(WALL.shape) < 0.2, WALL * 1.5, WALL).astype(np.float32)
    depth[50:70, 60:100] = 0
    np.testing.assert_allclose(fill_planes(depth, EVEN, SETTINGS)[50:70, 60:100], WALL[50:70, 60:100], rtol=1e-4)


def test_regions_of_different_colour_are_filled_with_their_own_planes():
    grey = EVEN.copy()
    grey[:, 80:] = 0.9
    depth = WALL.copy()
    depth[:, 80:] = 5
    truth = depth.copy()
    depth[40:80, 40:120] = 0
    filled = fill_planes(depth, grey, SETTINGS)
    # The border of the regions, blurred before cutting, may be a pixel off.
    np.testing.assert_allclose(filled[40:80, 40:76], truth[40:80, 40:76], rtol=1e-4)
    np.testing.assert_allclose(filled[40:80, 84:120], truth[40:80, 84:120], rtol=1e-4)


@pytest.mark.parametrize("known", [0.0, 0.05])
def test_a_region_with_hardly_any_depth_stays_a_gap(known: float):
    depth = np.where(np.random.default_rng(0).random(WALL.shape) < known, WALL, 0).astype(np.float32)
    np.testing.assert_array_equal(fill_planes(depth, EVEN, SETTINGS), depth)


def test_depth_that_is_no_plane_stays_as_it_is():
    depth = np.random.default_rng(0).uniform(1, 3, WALL.shape).astype(np.float32)
    depth[40:80, 40:120] = 0
    np.testing.assert_array_equal(fill_planes(depth, EVEN, SETTINGS), depth)


def test_known_depth_is_never_changed():
    depth = WALL * np.random.default_rng(0).normal(1, 0.005, WALL.shape).astype(np.float32)
    depth[20:40] = 0
    filled = fill_planes(depth, EVEN, SETTINGS)
    np.testing.assert_array_equal(filled[depth > 0], depth[depth > 0])
