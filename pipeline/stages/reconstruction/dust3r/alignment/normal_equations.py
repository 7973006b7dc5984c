"""The linear system of one Levenberg-Marquardt step, with depths eliminated (Schur complement), batched over pairs.

For an image's observations with local unknowns p, depths d, Jacobians J = dr/dp and rays v = dr/dd, and weights k:

    sum J' k J dp + sum J' k v dd = -sum J' k r
    sum v' k J dp + sum v' k v dd = -sum v' k r = 0,    for the depths already are the best ones

so that dd = -(v' k v)^-1 sum v' k J dp, and

    (sum J' k J - (sum J' k v) (v' k v)^-1 (sum v' k J)) dp = -sum J' k r
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from pipeline.stages.reconstruction.dust3r.alignment.state import State, cross_matrix

_LOCAL = 8
"""An observation depends on the twist between its two cameras (6), the pair's scale and the image's focal length."""


@dataclass(frozen=True)
class Unknowns:
    """Which unknowns are free.

    free_pose, free_focal: (N,) bool. shared_focal: one focal length for all images. scale_is_known: whether known
    poses fix the world's scale; if they do not, the pairs' scales keep their geometric mean.
    """

    free_pose: Tensor
    free_focal: Tensor
    shared_focal: bool
    scale_is_known: bool

    def fix_scale(self, state: State) -> State:
        """Take the world's size out of a step, where nothing determines it."""
        return state if self.scale_is_known else state.rescaled(-state.log_scale.mean())


def solve_step(
    seen: Observations, state: State, depth: Tensor, weight: Tensor, unknowns: Unknowns, damping: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Twists (N, 6), log scales (E,) and log focals (N,) of a damped Gauss-Newton step."""
    images, pairs = seen.image_count, seen.pair_count
    matrix, gradient = _assemble(seen, state, depth, weight, unknowns)
    step = torch.zeros_like(gradient)
    free = _free(unknowns, pairs).nonzero()[:, 0]
    reduced = matrix[free][:, free]
    diagonal = reduced.diagonal().clone()
    # (H + lambda diag H) step = -g
    reduced.diagonal().add_(damping * diagonal + 1e-12 * diagonal.max())
    step[free] = torch.linalg.solve(reduced, -gradient[free])
    twist, log_scale, log_focal = step[: 6 * images], step[6 * images :][:pairs], step[6 * images + pairs :]
    return twist.view(images, 6), log_scale, log_focal[:1].expand(images) if unknowns.shared_focal else log_focal


def _free(unknowns: Unknowns, pairs: int) -> Tensor:
    focal = unknowns.free_focal.clone()
    if unknowns.shared_focal:
        focal[1:] = False
    scale = torch.ones(pairs, dtype=torch.bool, device=focal.device)
    return torch.cat([unknowns.free_pose.repeat_interleave(6), scale, focal])


def _assemble(
    seen: Observations, state: State, depth: Tensor, weight: Tensor, unknowns: Unknowns
) -> tuple[Tensor, Tensor]:
    """Normal matrix and gradient over [twists 6 N | log scales E | log focals N]."""
    jacobian, along_ray, residual = _linearise(seen, state, depth)
    root = weight.sqrt()[..., None]
    tall = (jacobian * root[..., None]).flatten(1, 2)  # sqrt(k) J
    blocks = tall.mT @ tall  # J' k J
    local_gradient = (tall.mT @ (residual * root).flatten(1)[..., None])[..., 0]  # J' k r
    coupling = weight[..., None] * (jacobian.mT @ along_ray[..., None])[..., 0]  # J' k v
    # v' k v, summed over the observations of a pixel
    own = torch.zeros_like(depth).index_add(0, seen.target, weight * along_ray.square().sum(-1)).clip(min=1e-30)
    slots = _slots(seen.target, seen.image_count)
    dense = _per_image_blocks(blocks, coupling, own, slots)
    return _scatter(seen, unknowns, dense, local_gradient, slots)


def _linearise(seen: Observations, state: State, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Derivatives (M, P, 3, 8) of the residuals, rays (M, P, 3) that depth moves along, and residuals (M, P, 3).

    Residuals are measured in the units of the pair, in which the network's noise lives: measured in the world's, they
    would shrink with the pair's scale and draw it towards zero. Turning or shifting both cameras alike changes
    nothing, so only the twist of ``source`` minus that of ``target`` counts.
    """
    points = state.world_points(seen)
    target, source = state.camera_to_world[seen.target], state.camera_to_world[seen.source]
    rays = state.world_rays(seen.pixels)[seen.target]
    depth = depth[seen.target, :, None]
    residual = depth * rays + target[:, None, :3, 3] - points  # r = c + d v - x
    across = rays - target[:, None, :3, 2]  # v - f, the part of the ray that grows with 1 / focal length
    jacobian = torch.empty(*points.shape, _LOCAL).to(points)
    jacobian[..., :3] = cross_matrix(points)  # turning the source by w moves x by w x x, so dr = [x] w
    jacobian[..., 3:6] = -torch.eye(3).to(points)  # shifting it by t moves x by t, so dr = -t
    jacobian[..., 6] = (
        source[:, None, :3, 3] - points - residual
    )  # of the log scale: -(x - c_source), and the unit's -r
    jacobian[..., 7] = -depth * across  # of the log focal length: v - f shrinks by it
    return jacobian, rays, residual


def _slots(target: Tensor, images: int) -> Tensor:
    """Observations of each image (N, K), padded with M."""
    order = target.argsort(stable=True)
    counts = torch.bincount(target, minlength=images)
    rank = torch.arange(len(target), device=target.device) - (counts.cumsum(0) - counts)[target[order]]
    slots = torch.full((images, int(counts.max())), len(target), device=target.device)
    slots[target[order], rank] = order
    return slots


def _per_image_blocks(blocks: Tensor, coupling: Tensor, own: Tensor, slots: Tensor) -> Tensor:
    """Blocks (N, K, 8, K, 8) that couple all observations of an image, after eliminating its depths."""
    images, width = slots.shape
    padded = torch.cat([coupling, torch.zeros_like(coupling[:1])])
    dense = torch.zeros(images, width, _LOCAL, width, _LOCAL).to(blocks)
    for image in range(images):
        # C = sum J' k v of all observations of the image, (P, 8 K); C' (v' k v)^-1 C couples them
        wide = padded[slots[image]].transpose(0, 1).reshape(own.shape[1], -1)
        dense[image] = -(wide.T @ (wide / own[image][:, None])).view(width, _LOCAL, width, _LOCAL)
    diagonal = torch.cat([blocks, torch.zeros_like(blocks[:1])])[slots]
    index = torch.arange(width, device=slots.device)
    dense[:, index, :, index] += diagonal.transpose(0, 1)
    return dense


def _scatter(
    seen: Observations, unknowns: Unknowns, dense: Tensor, local_gradient: Tensor, slots: Tensor
) -> tuple[Tensor, Tensor]:
    """Add per-image blocks into the global system; a local twist counts for its source and against its target."""
    size = 7 * seen.image_count + seen.pair_count
    plus, minus = _columns(seen, unknowns, size)
    gradient = torch.zeros(size + 1).to(dense)
    gradient.index_add_(0, plus.flatten(), local_gradient.flatten())
    gradient.index_add_(0, minus.flatten(), -local_gradient.flatten())
    matrix = torch.zeros((size + 1) ** 2).to(dense)
    nothing = torch.full((1, _LOCAL), size, device=plus.device)
    for row_sign, rows in ((1, plus), (-1, minus)):
        for column_sign, columns in ((1, plus), (-1, minus)):
            row = torch.cat([rows, nothing])[slots].flatten(1)
            column = torch.cat([columns, nothing])[slots].flatten(1)
            place = row[:, :, None] * (size + 1) + column[:, None]
            matrix.index_add_(0, place.flatten(), row_sign * column_sign * dense.flatten())
    return matrix.view(size + 1, size + 1)[:size, :size], gradient[:size]


def _columns(seen: Observations, unknowns: Unknowns, size: int) -> tuple[Tensor, Tensor]:
    """Global columns (M, 8) that local unknowns add to, and that they are taken from; ``size`` = none."""
    six = torch.arange(6, device=seen.source.device)
    scale = 6 * seen.image_count + seen.pair[:, None]
    focal = torch.zeros_like(seen.target) if unknowns.shared_focal else seen.target
    plus = torch.cat(
        [6 * seen.source[:, None] + six, scale, 6 * seen.image_count + seen.pair_count + focal[:, None]], 1
    )
    none = torch.full((len(plus), 2), size, device=plus.device)
    return plus, torch.cat([6 * seen.target[:, None] + six, none], 1)
