"""Dense depth in one closed-form pass, image by image, from every pair that saw the image."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.stages.reconstruction.dust3r.alignment.records import PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.state import State

_ROUNDS = 5


def dense_depth(
    predictions: PairPredictions, state: State, principal_point: tuple[float, float], noise: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Depth and raw confidence (N, H, W) float32 with cameras held fixed; depth behind a camera becomes 0.

    noise: distance, relative to depth, below which pairs count as agreeing.
    """
    height, width = predictions.confidence1.shape[1:]
    y, x = np.mgrid[:height, :width] + 0.5
    pixels = np.stack([x.ravel() - principal_point[0], y.ravel() - principal_point[1]], -1)
    rays = state.rays(torch.from_numpy(pixels).to(state.log_focal))
    depth = np.zeros((predictions.image_count, height, width), np.float32)
    confidence = np.zeros_like(depth)
    for image in range(predictions.image_count):
        points, raw = _seen_by_camera(predictions, state, image)
        along = _along_ray(points, raw.clip(min=1.0).log(), rays[image].float(), noise)
        depth[image] = along.clip(min=0).view(height, width).cpu().numpy()
        confidence[image] = raw.amax(0).view(height, width).cpu().numpy()
    return depth, confidence


def _seen_by_camera(predictions: PairPredictions, state: State, image: int) -> tuple[Tensor, Tensor]:
    """All pairs' points (K, H * W, 3) of an image in its camera's frame and their raw confidence, float32."""
    first, second = (np.flatnonzero(predictions.edges[:, side] == image) for side in (0, 1))
    rows1, rows2 = predictions.rows_of(first), predictions.rows_of(second)
    points = np.concatenate([predictions.points1[rows1], predictions.points2[rows2]]).astype(np.float32)
    raw = np.concatenate([predictions.confidence1[rows1], predictions.confidence2[rows2]]).astype(np.float32)
    predictions.release()
    pairs = np.concatenate([first, second])
    sources = predictions.edges[pairs, 0]
    to_camera = torch.linalg.inv(state.camera_to_world[image]) @ state.camera_to_world[sources]
    linear = (to_camera[:, :3, :3] * state.log_scale[pairs].exp()[:, None, None]).float()
    moved = torch.from_numpy(points.reshape(len(pairs), -1, 3)).to(linear) @ linear.mT
    return moved + to_camera[:, None, :3, 3].float(), torch.from_numpy(raw.reshape(len(pairs), -1)).to(linear)


def _along_ray(points: Tensor, weight: Tensor, rays: Tensor, noise: float) -> Tensor:
    """Depth (P,) of the point on each ray with the least weighted distance to points (K, P, 3)."""
    length2 = rays.square().sum(-1)
    along = (points * rays).sum(-1)
    weight = weight.clip(min=1e-6)
    round_weight = weight
    for _ in range(_ROUNDS):
        depth = (round_weight * along).sum(0) / (round_weight.sum(0) * length2)
        miss2 = (depth[:, None] * rays - points).square().sum(-1)
        round_weight = weight / (miss2 + (noise * depth).square()).clip(min=1e-24).sqrt()
    return depth
