"""The benchmark's counts: completion IoU and per-class IoU, accumulated over a whole set, divided once.

The protocol of NYUv2 semantic scene completion as MonoScene and Symphonies compute it: where the truth is 255 nothing
is counted, no visibility mask, and a class that occurs in neither counts as 0 in the mean, not as skipped. It knows no
voxel that is occupied without a name: for completion such a one is occupied, and where the truth has no name, no class
is right or wrong.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass

IDS = SemanticClass.UNNAMED + 1
"""Ids that are counted: empty, the eleven classes, and occupied without a name."""


@dataclass(frozen=True)
class OverlapCounts:
    """What prediction and truth share. Add the counts of many grids or pictures, then read the ratios.

    matched, predicted, true: (13,) int64, by class id; 0 is empty, or what is no class in a picture; 12 is occupied
    without a name. Where the truth is that, ``predicted`` counts no class.
    both_occupied, either_occupied: number of places with an id above 0 in both, in at least one.
    """

    matched: NDArray[np.int64]
    predicted: NDArray[np.int64]
    true: NDArray[np.int64]
    both_occupied: int
    either_occupied: int

    @classmethod
    def nothing(cls) -> "OverlapCounts":
        """Return counts of nothing, to add others to."""
        zeros = np.zeros(IDS, np.int64)
        return cls(zeros, zeros, zeros, 0, 0)

    def __add__(self, other: "OverlapCounts") -> "OverlapCounts":
        """Accumulate."""
        return OverlapCounts(
            self.matched + other.matched,
            self.predicted + other.predicted,
            self.true + other.true,
            self.both_occupied + other.both_occupied,
            self.either_occupied + other.either_occupied,
        )

    @property
    def iou(self) -> float:
        """Scene completion: intersection over union of occupied places, 0 where neither has any."""
        return self.both_occupied / max(self.either_occupied, 1)

    @property
    def precision(self) -> float:
        """Share of the places predicted occupied that are."""
        claimed = self.both_occupied + self.either_occupied - int(self.true[1:].sum())
        return self.both_occupied / max(claimed, 1)

    @property
    def recall(self) -> float:
        """Share of the occupied places that were predicted so."""
        return self.both_occupied / max(int(self.true[1:].sum()), 1)

    @property
    def class_iou(self) -> NDArray[np.float64]:
        """Intersection over union of the class ids 0..11: (12,), 0 for a class that occurs in neither."""
        union = np.maximum(self.predicted + self.true - self.matched, 1)
        return np.asarray(self.matched / union, np.float64)[: SemanticClass.UNNAMED]

    @property
    def miou(self) -> float:
        """Mean of ``class_iou`` over the eleven classes, absent ones included as 0."""
        return float(self.class_iou[list(OCCUPIED_CLASSES)].mean())


def overlap(predicted: NDArray[np.uint8], true: NDArray[np.uint8]) -> OverlapCounts:
    """Count one pair of label arrays of equal shape, grids or pictures.

    Places whose truth is unknown are not counted; an unknown prediction claims nothing and counts as empty. Places
    without a name count for completion; a class that is predicted where the truth has none is neither right nor wrong.
    """
    known = true != SemanticClass.UNKNOWN
    claimed = np.where(predicted == SemanticClass.UNKNOWN, SemanticClass.EMPTY, predicted)[known].astype(np.int64)
    actual = true[known].astype(np.int64)
    confusion = np.bincount(claimed * IDS + actual, minlength=IDS * IDS).reshape(IDS, IDS)
    judged = confusion.copy()
    judged[1:, SemanticClass.UNNAMED] = 0
    return OverlapCounts(
        matched=np.diagonal(judged).copy(),
        predicted=judged.sum(axis=1),
        true=confusion.sum(axis=0),
        both_occupied=int(confusion[1:, 1:].sum()),
        either_occupied=int(confusion.sum() - confusion[0, 0]),
    )


def semantic_miou(predicted: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    """Mean IoU of pixel labels over the eleven classes, of one set of pictures of equal shape."""
    return overlap(predicted, true).miou
