import numpy as np
import pytest

from pipeline.contract.grid import GRID_SHAPE
from pipeline.pictures.heat import HEIGHT, NOTHING, OPACITY, Heat, grid_heat, heat_bounds, heat_colours, picture_heat

NAN = np.nan


def heat_of(pixels: list[list[float]], voxels: np.ndarray | None = None) -> Heat:
    empty = np.full(GRID_SHAPE, NAN, np.float32)
    return Heat(np.array(pixels, np.float32), empty if voxels is None else voxels)


def test_bounds_are_those_of_all_pictures_together_without_what_is_in_no_region():
    heats = [heat_of([[0.1, NAN], [0.3, 0.2]]), heat_of([[NAN, 0.4]])]
    assert heat_bounds(heats) == pytest.approx((0.1, 0.4))


@pytest.mark.parametrize("heats", [[], [heat_of([[NAN, NAN]])]])
def test_without_any_score_the_bounds_are_those_of_a_cosine(heats: list[Heat]):
    assert heat_bounds(heats) == (0.0, 1.0)


def test_colours_go_from_blue_to_red_and_grey_stands_for_nothing():
    cold, warm, hot, nothing = heat_colours(np.array([0.2, 0.3, 0.4, NAN], np.float32), (0.2, 0.4)).astype(int)
    assert cold[2] > cold[0]
    assert hot[0] > hot[2]
    assert warm[1] > max(warm[0], warm[2]) - 60
    assert tuple(nothing) == NOTHING


def test_scores_beyond_the_bounds_have_the_colours_of_the_bounds():
    colours = heat_colours(np.array([-1, 0.2, 0.4, 1], np.float32), (0.2, 0.4))
    np.testing.assert_array_equal(colours[[0, 3]], colours[[1, 2]])


def test_bounds_of_one_value_are_drawn_without_dividing_by_zero():
    assert heat_colours(np.full((2, 3), 0.5, np.float32), (0.5, 0.5)).shape == (2, 3, 3)


def test_no_score_has_no_colour_and_any_shape_keeps_its_own():
    assert heat_colours(np.zeros(0, np.float32), (0, 1)).shape == (0, 3)
    assert heat_colours(np.zeros((2, 3, 4), np.float32), (0, 1)).shape == (2, 3, 4, 3)


def test_heat_lies_over_its_half_of_the_picture_and_leaves_the_other():
    rgb = np.full((480, 640, 3), 100, np.uint8)
    heat = heat_of([[NAN, 0.4], [NAN, 0.4]])
    picture = np.asarray(picture_heat(rgb, heat, (0.2, 0.4))).astype(int)
    assert picture.shape == (HEIGHT, 240, 3)
    assert (picture[90, 60] == 100).all()
    red = heat_colours(np.array([0.4], np.float32), (0.2, 0.4))[0]
    np.testing.assert_allclose(picture[90, 180], 100 * (1 - OPACITY) + red * OPACITY, atol=1)


def test_the_grid_from_above_shows_the_hottest_voxel_of_each_column_where_the_camera_sees_it():
    voxels = np.full(GRID_SHAPE, NAN, np.float32)
    voxels[50, 10, 3], voxels[50, 10, 30] = 0.4, 0.2
    picture = np.asarray(grid_heat(heat_of([[0.4]], voxels), (0.2, 0.4)))
    assert picture.shape == (HEIGHT, HEIGHT, 3)
    # Three pixels a voxel; x to the right, and y upwards because the camera looks along it.
    column = picture[3 * (59 - 10) + 1, 3 * 50 + 1]
    np.testing.assert_array_equal(column, heat_colours(np.array([0.4], np.float32), (0.2, 0.4))[0])
    elsewhere = (picture == NOTHING).all(axis=-1)
    assert elsewhere.sum() == HEIGHT * HEIGHT - 9
