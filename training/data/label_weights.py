"""What voxels count in losses, by how sure their labels are.

A clip's scale that is off by its deviation sigma moves a voxel at distance d from the camera by sigma d. With s the
side of a voxel, the weight by ``scale_sigma`` is the inverse variance of where the voxel lies, 1 where scale is exact::

    w = s^2 / (s^2 + (sigma d)^2)

The weight by ``confidence`` is that of a name in the pixel that shows it. Grids hold none of their own, so that a named
voxel which no labelled pixel of its picture shows counts as the mean of those shown. What is empty, or occupied without
a name, has no name to doubt: 1.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_centres
from training.data.batch import Batch, collate
from training.data.doubt import LabelDoubt, label_doubt
from training.data.sample import Frames, Sample
from training.data.subset import spread_indices
from training.errors import UnusableDataset
from training.settings import Doubt

Weights = NDArray[np.float32]


def scale_weights(sigma: float | NDArray[np.floating], distance: float | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return weights in (0, 1] by the deviation of the logarithm of the scale, at distances in metres."""
    return np.asarray(1 / (1 + (np.asarray(sigma, np.float64) * distance / VOXEL_SIZE) ** 2), np.float64)


def voxel_weights(sample: Sample, doubt: LabelDoubt, by: Sequence[Doubt]) -> Weights:
    """Return what the voxels (60, 60, 36) of a sample count, in (0, 1].

    Raises:
        UnusableDataset: the deviation of the scale is wanted, and not known.
    """
    weights = np.ones(GRID_SHAPE)
    if "scale_sigma" in by:
        if not np.isfinite(doubt.scale_sigma):
            message = f"{sample.name} does not say how sure its scale is (scale_sigma): make its stage scene again"
            raise UnusableDataset(message)
        camera = sample.camera_to_world[:3, 3]
        distance = np.linalg.norm(voxel_centres(sample.origin.astype(np.float64), GRID_SHAPE) - camera, axis=-1)
        weights *= scale_weights(doubt.scale_sigma, distance.reshape(GRID_SHAPE))
    if "confidence" in by:
        weights *= _confidence_weights(sample, doubt.confidence)
    return weights.astype(np.float32)


def _confidence_weights(sample: Sample, confidence: NDArray[np.uint8]) -> NDArray[np.float64]:
    columns, lines = sample.projection.pixels.T
    found = confidence[lines, columns].reshape(GRID_SHAPE) / 255
    named = np.isin(sample.labels, OCCUPIED_CLASSES)
    shown = named & (found > 0) & sample.projection.visible(sample.depth).reshape(GRID_SHAPE)
    hidden = found[shown].mean() if shown.any() else 1.0
    return np.where(named, np.where(shown, found, hidden), 1.0)


class WeightedFrames:
    """Samples with what their voxels count; the known voxels of samples spread over the dataset count 1 in the mean.

    So a training that is weighted takes steps as long as one that is not.
    """

    def __init__(self, frames: Frames, by: Sequence[Doubt]) -> None:
        """Look at some samples; raises ``UnusableDataset`` where they do not say how sure their labels are."""
        self._frames, self._by, self._mean = frames, tuple(by), 1.0
        total, voxels = 0.0, 0
        for index in spread_indices(len(frames)):
            sample, weights = self[index]
            known = sample.labels != SemanticClass.UNKNOWN
            total, voxels = total + float(weights[known].sum(dtype=np.float64)), voxels + int(known.sum())
        self._mean = total / voxels

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._frames)

    def __getitem__(self, index: int) -> tuple[Sample, Weights]:
        """Return a sample with the weights (60, 60, 36) of its voxels."""
        sample = self._frames[index]
        return sample, voxel_weights(sample, label_doubt(self._frames, index), self._by) / np.float32(self._mean)


def collate_weighted(items: Sequence[tuple[Sample, Weights]]) -> Batch:
    """Stack samples with their weights; raises as ``collate``."""
    weights = torch.from_numpy(np.stack([weights for _, weights in items]))
    return collate([sample for sample, _ in items])._replace(weights=weights)
