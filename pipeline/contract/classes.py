"""The twelve classes of indoor semantic occupancy, their colours and the special labels.

Ids follow the NYUv2 semantic-scene-completion benchmark (SSCNet, Song et al. 2017): 0 is empty space, 1..11 are
classes, 255 is unknown and ignored by every metric. The benchmark has no id for what is occupied and has no name; here
it is 12, in grids alone: a pixel without a label is 255.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class SemanticClass(IntEnum):
    """Class ids as stored in ``semantics/labels`` and ``occupancy/labels``."""

    EMPTY = 0
    CEILING = 1
    FLOOR = 2
    WALL = 3
    WINDOW = 4
    CHAIR = 5
    BED = 6
    SOFA = 7
    TABLE = 8
    TVS = 9
    FURNITURE = 10
    OBJECTS = 11
    UNNAMED = 12
    UNKNOWN = 255


OCCUPIED_CLASSES = tuple(c for c in SemanticClass if SemanticClass.EMPTY < c < SemanticClass.UNNAMED)
"""The eleven classes that pixels and voxels are named by."""

FILLED_LABELS = (*OCCUPIED_CLASSES, SemanticClass.UNNAMED)
"""What an occupied voxel may be labelled with."""

COUNTED_CLASSES = (*(c for c in SemanticClass if c != SemanticClass.UNKNOWN), SemanticClass.UNKNOWN)
"""Columns of ``occupancy/class_counts``: the twelve classes, occupied without a name, then unknown."""

_COLOURS: dict[SemanticClass, tuple[int, int, int]] = {
    SemanticClass.EMPTY: (255, 255, 255),
    SemanticClass.CEILING: (214, 38, 40),
    SemanticClass.FLOOR: (43, 160, 43),
    SemanticClass.WALL: (158, 216, 229),
    SemanticClass.WINDOW: (114, 158, 206),
    SemanticClass.CHAIR: (204, 204, 91),
    SemanticClass.BED: (255, 186, 119),
    SemanticClass.SOFA: (147, 102, 188),
    SemanticClass.TABLE: (30, 119, 181),
    SemanticClass.TVS: (160, 188, 33),
    SemanticClass.FURNITURE: (255, 127, 12),
    SemanticClass.OBJECTS: (196, 175, 214),
    SemanticClass.UNNAMED: (172, 168, 162),
    SemanticClass.UNKNOWN: (60, 60, 60),
}


def palette() -> NDArray[np.uint8]:
    """Return the colour of every label value: (256, 3) uint8 RGB."""
    colours = np.full((256, 3), 128, np.uint8)
    for label, colour in _COLOURS.items():
        colours[label] = colour
    return colours
