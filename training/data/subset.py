"""Parts of a dataset: seeded fractions of the labels, and whether there is anything to learn at all."""

import hashlib
import logging
import math
from collections.abc import Iterable

import numpy as np

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from training.data.content import sample_content
from training.data.doubt import LabelDoubt, label_doubt
from training.data.sample import Frames, Sample
from training.errors import UnusableDataset

LOOKED_AT = 50
"""Samples of a dataset, however large, that are looked at before a training begins."""
_log = logging.getLogger(__name__)


class FrameSubset:
    """Some samples of a dataset, in the order of ``indices``."""

    def __init__(self, frames: Frames, indices: Iterable[int], note: str) -> None:
        self._frames, self._indices = frames, tuple(indices)
        self.names = tuple(frames.names[index] for index in self._indices)
        self.origin = f"{frames.origin}, {note}"

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._indices)

    def content(self, index: int) -> str:
        """Return what tells a sample from every other one, as 64 hexadecimal digits."""
        return sample_content(self._frames, self._indices[index])

    def doubt(self, index: int) -> LabelDoubt:
        """Return how sure the labels of a sample are; raises ``UnusableDataset`` where the dataset does not say."""
        return label_doubt(self._frames, self._indices[index])

    def __getitem__(self, index: int) -> Sample:
        """Return a sample."""
        return self._frames[self._indices[index]]


def fraction(frames: Frames, share: float, seed: int) -> FrameSubset:
    """Return a share of a dataset, at least one sample; of one seed, smaller shares lie within larger ones.

    A sample's place depends on seed and name alone, so that it stays as the dataset grows.

    Raises:
        UnusableDataset: the share is not in (0, 1], or the dataset is empty.
    """
    if not 0 < share <= 1 or not len(frames):
        message = f"a share of {share:g} of {len(frames)} samples ({frames.origin}) is nothing to learn from"
        raise UnusableDataset(message)
    count = max(math.ceil(share * len(frames) - 1e-9), 1)
    drawn = sorted(range(len(frames)), key=lambda index: _draw(seed, frames.names[index]))[:count]
    return FrameSubset(frames, sorted(drawn), f"{share:.0%} of the labels (seed {seed})")


def spread_indices(count: int, most: int = LOOKED_AT) -> list[int]:
    """Return up to ``most`` of ``count`` indices, spread from the first to the last."""
    return [int(index) for index in np.unique(np.linspace(0, count - 1, most).astype(int))]


def check_learnable(frames: Frames, looked_at: int = LOOKED_AT) -> None:
    """Look at up to ``looked_at`` grids spread over a dataset; classes that none of them shows are named in the log.

    Raises:
        UnusableDataset: no samples, or not one known voxel in those grids.
    """
    if not len(frames):
        message = f"{frames.origin} has no frames: build more videos, or choose another split"
        raise UnusableDataset(message)
    counts = np.zeros(256, np.int64)
    indices = spread_indices(len(frames), looked_at)
    for index in indices:
        counts += np.bincount(frames[index].labels.ravel(), minlength=256)
    if not counts[: SemanticClass.UNKNOWN].any():
        message = f"{frames.origin}: every voxel of every grid is unknown; look at the stages before occupancy"
        raise UnusableDataset(message)
    unseen = [label.name.lower() for label in OCCUPIED_CLASSES if not counts[label]]
    if unseen:
        _log.warning("%s: %d grids, and none shows %s", frames.origin, len(indices), ", ".join(unseen))


def _draw(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
