"""SSCNet's rule for coarser grids, which MonoScene and its successors keep: 2 cm voxels to 8 cm ones."""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass

MOSTLY_VOID = 0.95
"""A block is void only if more than this share of it is empty or unknown: 5 % of occupied voxels are enough."""


def down_sample(labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return labels (X, Y, Z) at ``factor`` times the voxel side, (X / factor, Y / factor, Z / factor).

    A block that is mostly void is empty if more of it is empty than unknown, else unknown. Any other gets the class
    with most voxels among 1..11, the lowest id on ties; 12, occupied without a name, where it holds none of them.
    """
    coarse = _extreme(np.minimum, labels, factor)
    mixed = coarse != _extreme(np.maximum, labels, factor)  # most blocks are of one label, which the rule leaves
    x, y, z = coarse.shape
    blocks = labels.reshape(x, factor, y, factor, z, factor).transpose(0, 2, 4, 1, 3, 5)
    coarse[mixed] = _by_the_rule(blocks[mixed].reshape(-1, factor**3))
    return coarse


def _extreme(of: np.ufunc, labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return the least or largest label of every block: whole slices are compared, an axis at a time."""
    labels = reduce(of, (labels[i::factor] for i in range(factor)))
    labels = reduce(of, (labels[:, i::factor] for i in range(factor)))
    return np.array(reduce(of, (labels[:, :, i::factor] for i in range(factor))), np.uint8)


def _by_the_rule(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the label (n,) of every block (n, voxels)."""
    empty = (blocks == SemanticClass.EMPTY).sum(axis=1)
    unknown = (blocks == SemanticClass.UNKNOWN).sum(axis=1)
    votes = np.stack([(blocks == label).sum(axis=1) for label in OCCUPIED_CLASSES], axis=1)
    winners = np.asarray(OCCUPIED_CLASSES, np.uint8)[votes.argmax(axis=1)]
    winners = np.where(votes.any(axis=1), winners, np.uint8(SemanticClass.UNNAMED))
    void = np.where(empty > unknown, np.uint8(SemanticClass.EMPTY), np.uint8(SemanticClass.UNKNOWN))
    mostly_void = empty + unknown > MOSTLY_VOID * blocks.shape[1]
    return np.where(mostly_void, void, winners)
