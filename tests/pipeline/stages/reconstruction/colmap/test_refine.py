import numpy as np
import pytest

from pipeline.stages.reconstruction.colmap.refine import even_regions, fill_planes, fit_plane
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


def test_regions_of_even_colour_tile_the_picture():
    grey = EVEN.copy()
    grey[:60, :80], grey[60:, 80:] = 0.2, 0.9
    regions = list(even_regions(grey, SETTINGS))
    assert np.array_equal(np.sort(np.concatenate(regions)), np.arange(grey.size))
    assert all(len(region) >= SETTINGS.min_pixels for region in regions)
    corner = next(region for region in regions if 0 in region)
    # The blur before cutting moves a border by a few pixels.
    assert len(corner) == pytest.approx(60 * 80, rel=0.1)


def test_a_plane_is_found_through_what_lies_on_it_and_not_through_the_rest():
    draw = np.random.default_rng(0)
    pixels = np.column_stack([draw.uniform(0, 1, (300, 2)), np.ones(300)])
    plane = np.array([0.1, -0.05, 0.5])
    inverse = pixels @ plane
    inverse[:90] *= draw.uniform(1.2, 2, 90)
    assert fit_plane(pixels, inverse, SETTINGS) == pytest.approx(plane, abs=1e-9)


def test_what_most_do_not_follow_is_no_plane():
    draw = np.random.default_rng(0)
    pixels = np.column_stack([draw.uniform(0, 1, (300, 2)), np.ones(300)])
    assert fit_plane(pixels, draw.uniform(0.2, 1, 300), SETTINGS) is None
    in_a_line = np.column_stack([np.linspace(0, 1, 50), np.zeros(50), np.ones(50)])
    assert fit_plane(in_a_line, np.full(50, 0.5), SETTINGS) is None, "three points in a line tell no plane"
