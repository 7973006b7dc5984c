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
