"""From superpixels to supervoxels: which region a voxel belongs to, by the pixels that fall into it (section 4.2)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.symphonies import SymphoniesConfig
from models.symphonies.views import Views, lift

VOXELS = SymphoniesConfig()
"""The grid itself: cells of one voxel."""


def pixel_voxels(views: Views) -> Tensor:
    """Return the voxel (B, H, W) int64, in C order of (x, y, z), of every pixel's point; -1 for none."""
    return lift(views, VOXELS)


def supervoxels(voxels: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the voxels that pixels of regions fall into, and the region of each, both (n,) int64, voxels ascending.

    A voxel belongs to the region most of its pixels belong to, the lowest id on ties. voxels: (H, W), -1 = none.
    regions: (H, W), 0 = none; pixels of no region do not vote.
    """
    voting = (voxels >= 0) & (regions > 0)
    if not voting.any():
        return voxels.new_zeros(0), voxels.new_zeros(0)
    stride = int(regions.max()) + 1
    pairs, votes = torch.unique(voxels[voting] * stride + regions[voting].long(), return_counts=True)
    voxel, region = pairs // stride, pairs % stride
    found, place = torch.unique(voxel, return_inverse=True)
    most = votes.new_zeros(len(found)).scatter_reduce(0, place, votes, "amax")
    losing = torch.where(votes == most[place], region, stride)
    winner = region.new_full((len(found),), stride).scatter_reduce(0, place, losing, "amin")
    return found, winner


def region_means(features: Tensor, regions: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the mean (count, D) of features (D, h, w) over regions 0 .. count - 1, and which of them occur (count,).

    regions: (H, W) of the picture; a pixel has the features of the patch it lies in.
    """
    depth, height, width = features.shape
    row = torch.arange(regions.shape[0], device=regions.device) * height // regions.shape[0]
    column = torch.arange(regions.shape[1], device=regions.device) * width // regions.shape[1]
    patch = row[:, None] * width + column
    shares = torch.bincount((regions.long() * (height * width) + patch).flatten(), minlength=count * height * width)
    weights = shares.view(count, height * width).to(features.dtype)
    sizes = weights.sum(dim=1, keepdim=True)
    means = weights @ features.reshape(depth, -1).T / sizes.clamp(min=1)
    return means, sizes[:, 0] > 0


def slic_regions(rgb: NDArray[np.uint8], superpixels: int) -> NDArray[np.int32]:
    """Return SLIC superpixels (H, W), ids from 1, of a picture (H, W, 3); settings as in SLidR."""
    from skimage.segmentation import slic

    return np.asarray(slic(rgb, superpixels, compactness=6, sigma=3, start_label=1), np.int32)
