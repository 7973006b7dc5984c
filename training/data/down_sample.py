"""SSCNet's rule for coarser grids, which MonoScene and its successors keep: 2 cm voxels to 8 cm ones."""

import numpy as np
from numpy.typing import NDArray

from pipeline.classes import OCCUPIED_CLASSES, SemanticClass

MOSTLY_VOID = 0.95
"""A block is void only if more than this share of it is empty or unknown: 5 % of occupied voxels are enough."""


def down_sample(labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return labels (X, Y, Z) at ``factor`` times the voxel side, (X / factor, Y / factor, Z / factor).

    A block that is mostly void is empty if more of it is empty than unknown, else unknown. Any other gets the class
    with most voxels among 1..11, the lowest id on ties.
    """
    blocks = _blocks(labels, factor)
    empty = (blocks == SemanticClass.EMPTY).sum(axis=1)
    unknown = (blocks == SemanticClass.UNKNOWN).sum(axis=1)
    votes = np.stack([(blocks == label).sum(axis=1) for label in OCCUPIED_CLASSES], axis=1)
    winners = np.asarray(OCCUPIED_CLASSES, np.uint8)[votes.argmax(axis=1)]
    void = np.where(empty > unknown, np.uint8(SemanticClass.EMPTY), np.uint8(SemanticClass.UNKNOWN))
    mostly_void = empty + unknown > MOSTLY_VOID * blocks.shape[1]
    return np.where(mostly_void, void, winners).reshape([side // factor for side in labels.shape])


def _blocks(labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    x, y, z = (side // factor for side in labels.shape)
    split = labels.reshape(x, factor, y, factor, z, factor)
    return split.transpose(0, 2, 4, 1, 3, 5).reshape(x * y * z, factor**3)
