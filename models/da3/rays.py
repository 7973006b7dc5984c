"""Cameras from maps of rays: rotation, focal lengths and, if rays say so, the principal point.

A ray is the direction R K^-1 p, not of unit length, beside the origin, for the pixel p in half sides from the middle of
the picture. So directions are a homography of pixels, which splits into a rotation and an upper triangular matrix.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.errors import UnusableInput

_DRAWS, _DRAWN = 100, 8
_FEWEST = 32
_CONFIDENT = 0.3
_SCORED = 2000
_MOST_RAYS = 8192
"""Rays of a map from which on only every second, third ... row and column counts: neighbours err alike."""

_INLIER = 0.2
_FLATTEST = 1e-4
_LONGEST = 1e4
"""Half sides: a focal length from which on all rays are one."""

_ROUNDS = 60
_CLEARLY = 2.0
"""How many times better rays must be explained before the principal point is taken to be off the middle."""

_FLOOR = 1e-6


@dataclass(frozen=True)
class RayCameras:
    """Cameras of maps of rays.

    camera_to_world: (..., 4, 4) float64. focal: (..., 2), half widths and half heights. centre: (..., 2), the principal
    point's offset from the middle, same units. residual: (...), median angle between rays and camera, radians.
    """

    camera_to_world: Tensor
    focal: Tensor
    centre: Tensor
    residual: Tensor

    def intrinsics(self, size: tuple[int, int]) -> Tensor:
        """Return intrinsics (..., 3, 3) in pixels of a picture of (height, width), pixel centres at + 0.5."""
        half = self.focal.new_tensor([size[1] / 2, size[0] / 2])
        matrix = torch.zeros(*self.focal.shape[:-1], 3, 3, dtype=self.focal.dtype, device=self.focal.device)
        matrix[..., 0, 0], matrix[..., 1, 1] = (self.focal * half).unbind(-1)
        matrix[..., :2, 2], matrix[..., 2, 2] = (1 + self.centre) * half, 1
        return matrix


def cameras_from_rays(rays: Tensor, confidence: Tensor) -> RayCameras:
    """Fit a camera to every map of rays (..., h, w, 6), direction and origin, weighted by confidence (..., h, w).

    The principal point is held in the middle, which halves the error, unless rays are explained twice as well without.
    The same rays always give the same cameras.

    Raises:
        UnusableInput: other shapes, too few rays, or values that are not finite.
    """
    if rays.shape[-1] != 6 or rays.shape[:-1] != confidence.shape or rays.ndim < 3:
        raise UnusableInput(f"rays must be (..., h, w, 6) with a confidence each, not {tuple(rays.shape)}")
    if not (rays.isfinite().all() and confidence.isfinite().all()):
        raise UnusableInput("rays or their confidence are not finite")
    usable = (confidence > 0) & (rays[..., :3].norm(dim=-1) > _FLATTEST)
    if confidence.min() < 0 or usable.flatten(-2).sum(-1).min() < _FEWEST:
        raise UnusableInput(f"a camera needs {_FEWEST} rays or more with a direction and a confidence above nought")
    leading = rays.shape[:-3]
    maps = rays.double().reshape(-1, *rays.shape[-3:])
    fits = [_fit_camera(*one) for one in zip(maps, confidence.double().reshape(-1, *rays.shape[-3:-1]), strict=True)]
    poses, focal, centre, residual = (torch.stack(parts) for parts in zip(*fits, strict=True))
    if not (poses.isfinite().all() and (focal > 0).all() and (focal < _LONGEST).all()):
        raise UnusableInput("rays all point the same way: no camera sees like that")
    return RayCameras(
        poses.reshape(*leading, 4, 4),
        focal.reshape(*leading, 2),
        centre.reshape(*leading, 2),
        residual.reshape(leading),
    )


def split_homography(homography: Tensor) -> tuple[Tensor, Tensor]:
    """Split a homography (3, 3) of pixels to directions into a rotation and K^-1, upper triangular, last entry 1."""
    homography = homography * torch.sign(torch.linalg.det(homography))
    rotation, upper = torch.linalg.qr(homography)
    signs = torch.sign(upper.diagonal())
    rotation, upper = rotation * signs, signs[:, None] * upper
    return rotation, upper / upper[2, 2]


def _fit_camera(rays: Tensor, confidence: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    every = math.ceil((confidence.numel() / _MOST_RAYS) ** 0.5)
    y, x = (
        ((2 * torch.arange(cells, device=rays.device, dtype=rays.dtype) + 1) / cells - 1)[::every]
        for cells in confidence.shape
    )
    rays, confidence = rays[::every, ::every], confidence[::every, ::every]
    pixels = torch.stack([*torch.meshgrid(x, y, indexing="xy"), torch.ones_like(confidence)], dim=-1).reshape(-1, 3)
    weights = confidence.reshape(-1)
    directions, origins = rays.reshape(-1, 6)[:, :3], rays.reshape(-1, 6)[:, 3:]
    lengths = directions.norm(dim=-1, keepdim=True)
    weights = torch.where(lengths[:, 0] > _FLATTEST, weights, 0)
    unit = directions / lengths.clamp(min=_FLATTEST)
    homography = _refined(pixels, unit, weights, _drawn(pixels, unit, weights))
    free_rotation, free_inverse = split_homography(homography)
    free = _angles(pixels @ free_inverse.mT @ free_rotation.mT, unit)
    rotation, inverse = _centred(pixels, unit, weights, free_rotation, free_inverse)
    held = _angles(pixels @ inverse.mT @ rotation.mT, unit)
    if _spread(held, weights) > _CLEARLY * _spread(free, weights) + _FLOOR:
        rotation, inverse, held = free_rotation, free_inverse, free
    pose = torch.eye(4, dtype=rays.dtype, device=rays.device)
    pose[:3, :3] = rotation
    trusted = weights * _robust(held, weights)
    pose[:3, 3] = (trusted[:, None] * origins).sum(0) / trusted.sum()
    # K^-1 = (1/fx, s, -cx/fx; 0, 1/fy, -cy/fy; 0, 0, 1)
    focal = 1 / inverse.diagonal()[:2]
    return pose, focal, -inverse[:2, 2] * focal, _spread(held, weights)


def _drawn(pixels: Tensor, unit: Tensor, weights: Tensor) -> Tensor:
    """Return the best homography (3, 3) of draws from the most confident rays; draws come from a fixed seed."""
    count = max(int(_CONFIDENT * len(weights)), _FEWEST)
    best = weights.argsort(descending=True, stable=True)[:count]
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(_DRAWS, count, generator=generator).argsort(dim=1)[:, :_DRAWN].to(best.device)
    chosen = best[draws]
    candidates = _dlt(pixels[chosen], unit[chosen], weights[chosen])
    some = slice(None, None, max(1, len(weights) // _SCORED))
    angles = _angles(pixels[some] @ candidates.mT, unit[some])
    return candidates[((angles < _INLIER) * weights[some]).sum(-1).argmax()]


def _dlt(pixels: Tensor, unit: Tensor, weights: Tensor) -> Tensor:
    """Return homographies (..., 3, 3) that turn pixels (..., n, 3) into directions, from their 9 x 9 normal matrix."""
    x, y, z = unit.unbind(-1)
    none = torch.zeros_like(x)
    # d x (H p) = 0: three rows a ray, linear in the entries of H
    cross = torch.stack([none, -z, y, z, none, -x, -y, x, none], dim=-1).reshape(*x.shape, 3, 3)
    rows = (cross[..., None] * pixels[..., None, None, :]).flatten(-2)
    normal = torch.einsum("...nki,...nkj,...n->...ij", rows, rows, weights)
    homography = torch.linalg.eigh(normal).eigenvectors[..., 0].reshape(*normal.shape[:-2], 3, 3)
    # of the two signs the one whose directions look along the rays
    along = (weights * ((pixels @ homography.mT) * unit).sum(-1)).sum(-1)
    signed: Tensor = homography * torch.where(along < 0, -1.0, 1.0)[..., None, None]
    return signed


def _refined(pixels: Tensor, unit: Tensor, weights: Tensor, homography: Tensor) -> Tensor:
    """Fit again with weights that fall off with the angle, relative to the median one."""
    for _ in range(_ROUNDS // 4):
        seen = pixels @ homography.mT
        trust = _robust(_angles(seen, unit), weights) / seen.square().sum(-1)
        homography = _dlt(pixels, unit, weights * trust)
    return homography


def _centred(pixels: Tensor, unit: Tensor, weights: Tensor, rotation: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """Hold the principal point in the middle: turn (Procrustes) and stretch (a line a side) in turns."""
    stretch = torch.cat([inverse.diagonal()[:2], inverse.new_ones(1)])
    for _ in range(_ROUNDS):
        seen = pixels * stretch
        weighted = weights * _robust(_angles(seen @ rotation.mT, unit), weights)
        bearing = seen / seen.norm(dim=-1, keepdim=True)
        u, _, v = torch.linalg.svd(torch.einsum("n,ni,nj->ij", weighted, unit, bearing))
        rotation = u @ torch.diag(torch.stack([u.new_ones(()), u.new_ones(()), torch.linalg.det(u @ v)])) @ v
        own = unit @ rotation
        # own_x / own_z = x / fx: least squares in 1 / fx, likewise in 1 / fy
        ratio = own[:, :2] / own[:, 2:].clamp(min=_FLATTEST)
        across = weighted[:, None] * pixels[:, :2]
        sides = (across * ratio).sum(0) / (across * pixels[:, :2]).sum(0)
        stretch = torch.cat([sides.clamp(min=_FLOOR), sides.new_ones(1)])
    return rotation, torch.diag(stretch)


def _angles(seen: Tensor, unit: Tensor) -> Tensor:
    """Angles (..., n) between directions of any length and unit ones, exact where they are small."""
    bearing = seen / seen.norm(dim=-1, keepdim=True).clamp(min=_FLOOR)
    return 2 * torch.asin(((bearing - unit).norm(dim=-1) / 2).clamp(max=1))


def _robust(angles: Tensor, weights: Tensor) -> Tensor:
    """Weights of Tukey: nought from some six median angles on."""
    limit = 6 * _spread(angles, weights) + _FLOOR
    return (1 - (angles / limit).square()).clamp(min=0).square()


def _spread(angles: Tensor, weights: Tensor) -> Tensor:
    """Weighted median angle."""
    order = angles.argsort()
    share = weights[order].cumsum(0)
    return angles[order][torch.searchsorted(share, share[-1:] / 2).clamp(max=len(order) - 1)][0]
