import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, voxel_index
from pipeline.pictures.layout import GAP
from pipeline.pictures.slices import HEIGHTS, grid_slices

from .colours import colour_of


def test_slices_have_the_floor_in_the_first_and_a_wall_ahead_at_the_top():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0], labels[:, 59, :] = SemanticClass.FLOOR, SemanticClass.WALL
    picture = np.asarray(grid_slices(labels, 120))
    first = picture[-120:, :120]
    assert tuple(first[60, 60]) == colour_of(SemanticClass.FLOOR)
    assert tuple(first[0, 60]) == colour_of(SemanticClass.WALL)


def test_every_slice_lies_at_its_height():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    floors = (SemanticClass.FLOOR, SemanticClass.SOFA, SemanticClass.TABLE, SemanticClass.WALL)
    for metres, label in zip(HEIGHTS, floors, strict=True):
        labels[:, :, voxel_index(np.array([0, 0, metres]), np.array([0, 0, -FLOOR_MARGIN]))[2]] = label
    picture = np.asarray(grid_slices(labels, 60))
    middles = [30 + i * (60 + GAP) for i in range(4)]
    assert [tuple(picture[-30, x]) for x in middles] == [colour_of(label) for label in floors]


def test_what_is_to_the_right_of_the_camera_is_to_the_right():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[55:, :5, 0] = SemanticClass.CHAIR
    first = np.asarray(grid_slices(labels, 60))[-60:, :60]
    chair = (first == colour_of(SemanticClass.CHAIR)).all(axis=-1)
    assert chair.sum() == 25
    assert chair[55:, 55:].all()
