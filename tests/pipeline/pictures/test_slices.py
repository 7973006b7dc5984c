import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.pictures.slices import grid_slices

from .colours import colour_of


def test_slices_have_the_floor_in_the_first_and_a_wall_ahead_at_the_top():
    labels = np.zeros(GRID_SHAPE, np.uint8)
    labels[:, :, 0], labels[:, 59, :] = SemanticClass.FLOOR, SemanticClass.WALL
    picture = np.asarray(grid_slices(labels, 120))
    first = picture[-120:, :120]
    assert tuple(first[60, 60]) == colour_of(SemanticClass.FLOOR)
    assert tuple(first[0, 60]) == colour_of(SemanticClass.WALL)
