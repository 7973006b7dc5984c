"""Batched registration of point sets by similarities."""

import torch
from torch import Tensor

_ROUNDS = 5


def fit_similarity(points: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Similarities (E, 4, 4) that carry points (E, P, 3) onto target, least absolute distance by reweighting.

    Each round is Umeyama's closed form (PAMI 1991, equations 38 to 43) with weights (E, P).
    """
    round_weight = weight
    floor = 1e-4 * (target - target.mean(1, keepdim=True)).norm(dim=-1).mean(1, keepdim=True)
    for _ in range(_ROUNDS):
        similarity = _umeyama(points, target, round_weight)
        residual = (transform(similarity, points) - target).norm(dim=-1)
        round_weight = weight / (residual.square() + floor.square()).sqrt()
    return similarity


def transform(similarity: Tensor, points: Tensor) -> Tensor:
    """Apply similarities (E, 4, 4) to points (E, P, 3)."""
    return points @ similarity[:, :3, :3].mT + similarity[:, None, :3, 3]


def similarity_scale(similarity: Tensor) -> Tensor:
    """Scale (E,) of similarities (E, 4, 4)."""
    return torch.det(similarity[:, :3, :3]).abs().pow(1 / 3)


def _umeyama(points: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    # y = a R x + t by the means and the covariance of x and y
    mass = weight / weight.sum(1, keepdim=True).clip(min=1e-300)
    centre = (mass[..., None] * points).sum(1, keepdim=True)
    target_centre = (mass[..., None] * target).sum(1, keepdim=True)
    spread, target_spread = points - centre, target - target_centre
    # U D V' = cov(y, x); R = U S V' with S = diag(1, 1, det(U V')), so that R is no mirror
    u, stretch, vt = torch.linalg.svd(target_spread.mT @ (mass[..., None] * spread))
    mirror = torch.ones_like(stretch)
    mirror[:, 2] = torch.linalg.det(u @ vt).sign()
    rotation = (u * mirror[:, None]) @ vt
    variance = (mass * spread.square().sum(-1)).sum(1)
    # a = tr(D S) / var(x)
    scale = (stretch * mirror).sum(1) / variance.clip(min=1e-300)
    # t = mean(y) - a R mean(x)
    similarity = torch.eye(4).to(points).repeat(len(points), 1, 1)
    similarity[:, :3, :3] = scale[:, None, None] * rotation
    similarity[:, :3, 3] = (target_centre - scale[:, None, None] * centre @ rotation.mT)[:, 0]
    return similarity
