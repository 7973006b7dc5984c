import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.pictures.voxels import isometric

from .colours import colour_of, colours_of, is_of_class


def test_isometric_shows_furniture_and_neither_ceiling_nor_unknown():
    labels = np.full(GRID_SHAPE, SemanticClass.UNKNOWN, np.uint8)
    labels[:, :, 0], labels[:, :, 35] = SemanticClass.FLOOR, SemanticClass.CEILING
    labels[20:30, 20:30, 1:8] = SemanticClass.BED
    colours = colours_of(isometric(labels, 480))
    assert {colour_of(SemanticClass.FLOOR), colour_of(SemanticClass.BED)} <= colours
    assert not {colour_of(SemanticClass.CEILING), colour_of(SemanticClass.UNKNOWN)} & colours


def test_isometric_shows_what_has_no_name_below_the_ceiling_alone():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0], labels[20:30, 20:30, 1:8] = SemanticClass.FLOOR, SemanticClass.UNNAMED
    below = isometric(labels, 480)
    assert colour_of(SemanticClass.UNNAMED) in colours_of(below)
    labels[:, :, 32] = SemanticClass.UNNAMED
    assert np.array_equal(isometric(labels, 480), below)


def test_isometric_cuts_the_wall_between_viewer_and_room():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0], labels[20:40, 20:40, 1:3] = SemanticClass.FLOOR, SemanticClass.BED
    seen = np.count_nonzero(is_of_class(isometric(labels, 480), SemanticClass.BED))
    labels[:, 0, 1:] = labels[0, :, 1:] = SemanticClass.WALL
    walled = np.count_nonzero(is_of_class(isometric(labels, 480), SemanticClass.BED))
    assert walled == pytest.approx(seen, rel=0.15), "only the page's margin changes with the walls"


def test_isometric_of_an_empty_grid_is_blank():
    assert colours_of(isometric(np.zeros(GRID_SHAPE, np.uint8), 64)) == {(255, 255, 255)}


def test_isometric_puts_what_the_camera_has_on_its_right_to_the_right():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0] = SemanticClass.FLOOR
    labels[50:54, 30:34, 1:5], labels[6:10, 30:34, 1:5] = SemanticClass.TABLE, SemanticClass.SOFA
    picture = isometric(labels, 480)
    right, left = (np.argwhere(is_of_class(picture, c))[:, 1].mean() for c in (SemanticClass.TABLE, SemanticClass.SOFA))
    assert right - left > 100, "44 voxels apart are 44 * 480 / 120 = 176 pixels"


def test_the_nearer_of_two_blocks_hides_the_farther():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[30:34, 40:44, :8] = SemanticClass.SOFA
    alone = np.count_nonzero(is_of_class(isometric(labels, 480), SemanticClass.SOFA))
    labels[26:30, 36:40, :16] = SemanticClass.BED  # one step nearer to the viewer along both axes, and higher
    behind = np.count_nonzero(is_of_class(isometric(labels, 480), SemanticClass.SOFA))
    assert alone > 500
    assert behind < 0.3 * alone


def test_sides_are_darker_than_tops():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[20:30, 20:30, 0:10] = SemanticClass.BED
    shades = colours_of(isometric(labels, 480))
    for brightness in (1.0, 0.84, 0.68):
        shade = tuple(int(channel * brightness) for channel in colour_of(SemanticClass.BED))
        assert shade in shades


@pytest.mark.parametrize("width", [64, 480])
def test_a_picture_is_as_wide_as_asked_and_high_enough_for_what_is_in_it(width: int):
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:40, :20, :12] = SemanticClass.FURNITURE
    picture = isometric(labels, width)
    assert picture.width == width
    # 60 units of half a voxel across; 30 units deep, and twelve voxels of 1.1 units high.
    assert picture.height == pytest.approx(width / 60 * (30 + 12 * 1.1), abs=2)


def test_blocks_of_one_voxel_fill_the_picture():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[7, 8, 9] = SemanticClass.CHAIR
    picture = isometric(labels, 64)
    assert colour_of(SemanticClass.CHAIR) in colours_of(picture)


def test_the_viewer_stands_where_fewer_walls_are_in_the_way():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0] = SemanticClass.FLOOR
    labels[50:54, 30:34, 1:5] = SemanticClass.TABLE
    open_left = isometric(labels, 480)
    labels[20, :, 1:20] = SemanticClass.WALL  # stands in the left half
    seen = [
        np.count_nonzero(is_of_class(picture, SemanticClass.TABLE)) for picture in (open_left, isometric(labels, 480))
    ]
    assert seen[1] > 0.6 * seen[0]
