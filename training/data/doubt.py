"""How sure the labels of a dataset are, where it says so."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from training.data.sample import Frames
from training.errors import UnusableDataset


@dataclass(frozen=True)
class LabelDoubt:
    """How sure the labels of a sample are.

    scale_sigma: deviation of the logarithm of its clip's scale, nan where it is not known. confidence: (480, 640)
    uint8, of the label in every pixel, 255 = certain, 0 = no label.
    """

    scale_sigma: float
    confidence: NDArray[np.uint8]


@runtime_checkable
class Doubted(Protocol):
    """A dataset that says how sure its labels are."""

    def doubt(self, index: int) -> LabelDoubt:
        """Return how sure the labels of a sample are."""
        ...


def label_doubt(frames: Frames, index: int) -> LabelDoubt:
    """Return how sure the labels of a sample are.

    Raises:
        UnusableDataset: the dataset does not say.
    """
    if isinstance(frames, Doubted):
        return frames.doubt(index)
    message = f"{frames.origin} does not say how sure its labels are; our own dataset does (stored): leave weigh_by out"
    raise UnusableDataset(message)
