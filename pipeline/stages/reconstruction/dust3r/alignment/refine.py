"""Levenberg-Marquardt on cameras, pair scales and focal length; the depth of every pixel is eliminated.

The cost is the confidence-weighted distance between where a pair puts a pixel and the point on that pixel's ray
(DUSt3R, Wang et al. 2024, equation 5), in the units of the pair, relative to the pixel's depth and rounded near zero at
the level of the noise. With the camera's centre c, a pixel's ray v of unit depth, its depth d, the point x where the
pair puts it, its confidence w, the unit u and the noise s::

    cost = sum w sqrt(|r|^2 + (s u)^2) / u / sum w,    r = c + d v - x
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.stages.reconstruction.dust3r.alignment.normal_equations import Unknowns, solve_step
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.alignment.state import State

_DEPTH_ROUNDS = 3
_NOISE_ROUNDS = 2
_MAX_DAMPING = 1e6


@dataclass(frozen=True)
class Fit:
    """A state with the depths (N, P) that suit it best, robust weights (M, P), residuals (M, P, 3) and their cost.

    unit: (M, P) depth that a residual is relative to, in the units of the pair.
    residual: from where the pair puts the pixel to the point on its ray, in the world's units.
    """

    state: State
    depth: Tensor
    weight: Tensor
    residual: Tensor
    unit: Tensor
    cost: float


def refine(seen: Observations, start: State, unknowns: Unknowns, settings: AlignmentSettings) -> tuple[Fit, Fit]:
    """Return the start and the end of the alignment, with costs of the same noise; that of the end is no higher."""
    state = start
    unit = _typical_depth(seen, start)
    for _ in range(_NOISE_ROUNDS):
        noise = _noise(seen, evaluate(seen, state, unit, settings.min_noise), settings)
        fit = _minimise(seen, evaluate(seen, state, unit, noise), noise, unknowns, settings)
        state = fit.state
    began = evaluate(seen, start, unit, noise)
    return began, fit if fit.cost <= began.cost else began


def evaluate(seen: Observations, state: State, unit: Tensor, noise: float) -> Fit:
    """Find the depths that suit a state, by reweighted least squares along each ray, and the cost.

    unit: (M, P) depth that a residual is relative to, in the units of the pair. noise: relative residual at which the
    cost bends.
    """
    rays = state.world_rays(seen.pixels)  # v
    offset = state.world_points(seen) - state.camera_to_world[seen.target, None, :3, 3]  # x - c
    along = (offset * rays[seen.target]).sum(-1)  # v . (x - c)
    length2 = rays.square().sum(-1)  # |v|^2
    world_unit = unit * state.log_scale[seen.pair].exp()[:, None]  # u
    relative = seen.weight / world_unit  # w / u
    weight = relative / world_unit
    for _ in range(_DEPTH_ROUNDS):
        # d = sum of k v . (x - c) over sum of k |v|^2: least squares along the ray with the weights k of the round
        depth = _per_image(seen, weight * along) / (_per_image(seen, weight) * length2).clip(min=1e-12)
        residual = depth[seen.target, :, None] * rays[seen.target] - offset  # r = d v - (x - c)
        rounded = (residual.square().sum(-1) + (noise * world_unit).square()).sqrt()  # sqrt(|r|^2 + (s u)^2)
        weight = relative / rounded  # k = w / u / sqrt(...): the weight whose square has the gradient of the cost
    cost = float((relative * rounded).sum() / seen.weight.sum())
    return Fit(state, depth, weight, residual, unit, cost)


def _minimise(seen: Observations, fit: Fit, noise: float, unknowns: Unknowns, settings: AlignmentSettings) -> Fit:
    damping = 1e-4
    for _ in range(settings.max_iterations):
        # Levenberg-Marquardt: less damping after a step that gained, more after one that did not
        step = solve_step(seen, fit.state, fit.depth, fit.weight, unknowns, damping)
        tried = evaluate(seen, unknowns.fix_scale(fit.state.moved(*step)), fit.unit, noise)
        gain = (fit.cost - tried.cost) / fit.cost
        if gain > 0:
            fit, damping = tried, max(damping / 10, 1e-9)
        else:
            damping *= 10
        if 0 < gain < settings.tolerance or damping > _MAX_DAMPING:
            break
    return fit


def _typical_depth(seen: Observations, state: State) -> Tensor:
    """Depth (M, P) that the pairs together give a pixel, in the units of each; at least a tenth of the image's mean."""
    points = state.world_points(seen)  # x
    forward = state.camera_to_world[seen.target, None, :3, 2]  # f, the axis of the camera that sees the pixel
    # z = f . (x - c)
    depth = ((points - state.camera_to_world[seen.target, None, :3, 3]) * forward).sum(-1).clip(min=0)
    # sum of w z over sum of w, for each pixel of each image
    mean = _per_image(seen, seen.weight * depth) / _per_image(seen, seen.weight).clip(min=1e-12)
    floored = mean.clip(min=0.1 * mean.mean(1, keepdim=True).clip(min=1e-9))
    return floored[seen.target] / state.log_scale[seen.pair].exp()[:, None]


def _noise(seen: Observations, fit: Fit, settings: AlignmentSettings) -> float:
    """Typical relative residual."""
    scale = fit.state.log_scale[seen.pair].exp()[:, None]
    return max(settings.min_noise, float((fit.residual.norm(dim=-1) / fit.unit / scale).median()))


def _per_image(seen: Observations, values: Tensor) -> Tensor:
    """Sum observations (M, P) by the image they see: (N, P)."""
    return torch.zeros(seen.image_count, values.shape[1]).to(values).index_add(0, seen.target, values)
