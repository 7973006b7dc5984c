"""What pairs say about sampled pixels, as one batch: two observations a pair, one for each of its images."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.stages.reconstruction.dust3r.alignment.records import Array, PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings


@dataclass(frozen=True)
class Observations:
    """M = 2 E observations of P pixels each; all tensors on one device, floats in float64.

    points: (M, P, 3) in the frame of the ``source`` image's camera, in the units of the pair.
    weight: (M, P) log of the confidence.
    source, target, pair: (M,) int64, the camera whose frame it is, the image seen, the pair.
    pixels: (P, 2) x and y relative to the principal point.
    """

    image_count: int
    points: Tensor
    weight: Tensor
    source: Tensor
    target: Tensor
    pair: Tensor
    pixels: Tensor

    @property
    def pair_count(self) -> int:
        """E."""
        return len(self.pair) // 2

    def first(self) -> tuple[Tensor, Tensor]:
        """Points (E, P, 3) and weights (E, P) of every pair's first image."""
        return self.points[: self.pair_count], self.weight[: self.pair_count]

    def second(self) -> tuple[Tensor, Tensor]:
        """Points (E, P, 3) and weights (E, P) of every pair's second image."""
        return self.points[self.pair_count :], self.weight[self.pair_count :]


def sample(
    predictions: PairPredictions, principal_point: tuple[float, float], settings: AlignmentSettings
) -> Observations:
    """Take pixels on a regular grid from all pairs."""
    height, width = predictions.confidence1.shape[1:]
    count = len(predictions.edges)
    budget = max(64, min(settings.pixels_per_image, settings.max_observations // (2 * count)))
    step = max(1, math.ceil(math.sqrt(height * width / budget)))
    y, x = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    pixels = np.stack([x.ravel(), y.ravel()], -1) + 0.5 - np.asarray(principal_point)

    rows = predictions.rows_of(np.arange(count))

    def gather(first: Array, second: Array) -> NDArray[np.float64]:
        both = [maps[:, step // 2 :: step, step // 2 :: step][rows].astype(np.float64) for maps in (first, second)]
        predictions.release()
        return np.concatenate(both).reshape(2 * count, y.size, -1)

    points = torch.from_numpy(gather(predictions.points1, predictions.points2))
    confidence = torch.from_numpy(gather(predictions.confidence1, predictions.confidence2)[..., 0])
    edges = torch.from_numpy(predictions.edges)
    device = torch.device(settings.device)
    return Observations(
        image_count=predictions.image_count,
        points=points.to(device),
        weight=confidence.clip(min=1.0).log().to(device),
        source=edges[:, 0].repeat(2).to(device),
        target=edges.T.flatten().to(device),
        pair=torch.arange(count, device=device).repeat(2),
        pixels=torch.from_numpy(pixels).to(device),
    )
