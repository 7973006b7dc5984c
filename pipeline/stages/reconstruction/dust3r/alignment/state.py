"""The unknowns of an alignment and what they say about the observations."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations


@dataclass(frozen=True)
class State:
    """Unknowns, float64: camera_to_world (N, 4, 4), log_scale (E,) of the pairs, log_focal (N,).

    A pair's similarity to the world is the pose of its first camera, in whose frame the network gives both
    pointmaps, times one scale.
    """

    camera_to_world: Tensor
    log_scale: Tensor
    log_focal: Tensor

    def rays(self, pixels: Tensor) -> Tensor:
        """Camera rays (N, P, 3) of unit depth."""
        slope = pixels / self.log_focal.exp()[:, None, None]
        return torch.cat([slope, torch.ones_like(slope[..., :1])], -1)

    def world_rays(self, pixels: Tensor) -> Tensor:
        """Rays (N, P, 3) of unit depth, turned into the world."""
        return self.rays(pixels) @ self.camera_to_world[:, :3, :3].mT

    def world_points(self, seen: Observations) -> Tensor:
        """Where each observation puts its pixels in the world: (M, P, 3)."""
        pose = self.camera_to_world[seen.source]
        scaled = seen.points * self.log_scale[seen.pair].exp()[:, None, None]
        return scaled @ pose[:, :3, :3].mT + pose[:, None, :3, 3]

    def rescaled(self, log_factor: Tensor) -> "State":
        """Scale the whole world."""
        pose = self.camera_to_world.clone()
        pose[:, :3, 3] *= log_factor.exp()
        return replace(self, camera_to_world=pose, log_scale=self.log_scale + log_factor)

    def moved(self, twist: Tensor, log_scale: Tensor, log_focal: Tensor) -> "State":
        """Take a step: twists (N, 6) of the poses from the left, rotation first, and logarithmic factors."""
        return State(_exponential(twist) @ self.camera_to_world, self.log_scale + log_scale, self.log_focal + log_focal)


def cross_matrix(vector: Tensor) -> Tensor:
    """Matrices (..., 3, 3) that take the cross product with vectors (..., 3)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vector.shape, 3)


def _exponential(twist: Tensor) -> Tensor:
    generator = torch.zeros(len(twist), 4, 4).to(twist)
    generator[:, :3, :3] = cross_matrix(twist[:, :3])
    generator[:, :3, 3] = twist[:, 3:]
    return torch.matrix_exp(generator)
