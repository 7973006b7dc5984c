"""Samples stacked as tensors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from training.data.sample import Sample
from training.errors import UnusableDataset


class Batch(NamedTuple):
    """B samples; shapes as in ``Sample`` with B in front.

    rgb: (B, 3, 480, 640) uint8. depth: (B, 480, 640) float32. regions: (B, 480, 640) int32.
    labels: (B, 60, 60, 36) uint8. pixels: (B, 129600, 2) int32 and in_view: (B, 129600) bool, as in ``Projection``.
    weights: (B, 60, 60, 36) float32, what voxels count in the losses; None: all alike.
    """

    names: tuple[str, ...]
    rgb: Tensor
    depth: Tensor
    regions: Tensor
    intrinsics: Tensor
    camera_to_world: Tensor
    labels: Tensor
    origin: Tensor
    pixels: Tensor
    in_view: Tensor
    weights: Tensor | None = None


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples.

    Raises:
        UnusableDataset: naming a sample without any depth; the network lifts pixels by their depth.
    """
    for sample in samples:
        if not sample.depth.any():
            message = f"{sample.name} has no depth, which the network needs: leave the frame out"
            raise UnusableDataset(message)
    projections = [sample.projection for sample in samples]
    return Batch(
        names=tuple(sample.name for sample in samples),
        rgb=_stack([np.moveaxis(sample.rgb, -1, 0) for sample in samples]),
        depth=_stack([sample.depth for sample in samples]),
        regions=_stack([sample.regions for sample in samples]),
        intrinsics=_stack([sample.intrinsics for sample in samples]),
        camera_to_world=_stack([sample.camera_to_world for sample in samples]),
        labels=_stack([sample.labels for sample in samples]),
        origin=_stack([sample.origin for sample in samples]),
        pixels=_stack([projection.pixels for projection in projections]),
        in_view=_stack([projection.in_view for projection in projections]),
    )


def _stack(arrays: Sequence["np.typing.NDArray[np.generic]"]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
