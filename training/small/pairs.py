"""Pairs of views that see the same place, as somebody walks through a room."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pipeline.tours.views import RenderedViews
from training.small.houses import VariedHouse
from training.small.samples import Samples
from training.small.settings import PairSettings, ViewpointSettings
from training.small.viewpoints import Poses, looking, room_poses, sees_enough

DEPTH_TOLERANCE = 0.05
"""Share of depth within which two views see the same point."""
STRIDE = 4
"""Every so many pixels are asked whether the other view sees them."""


@dataclass(frozen=True)
class PairSamples(Samples):
    """Pairs of views: pictures (n, 2, 3, h, w) uint8 RGB; depth (n, 2, h, w) float32, metres, 0 = none.

    intrinsics: (n, 2, 3, 3) float32. second_to_first: (n, 4, 4) float32, the second camera's points in the first's.
    """

    pictures: Tensor
    depth: Tensor
    intrinsics: Tensor
    second_to_first: Tensor

    def pointmaps(self) -> tuple[Tensor, Tensor]:
        """Return the points (n, h, w, 3) of both views in the frame of the first."""
        first, second = (unproject(self.depth[:, side], self.intrinsics[:, side]) for side in (0, 1))
        rotation, shift = self.second_to_first[:, None, :3, :3], self.second_to_first[:, None, None, :3, 3]
        return first, second @ rotation.mT + shift

    def turned_round(self) -> "PairSamples":
        """Return the same pairs with the views' parts exchanged."""
        return PairSamples(
            self.pictures.flip(1), self.depth.flip(1), self.intrinsics.flip(1), torch.linalg.inv(self.second_to_first)
        )


def walk_poses(
    rng: np.random.Generator, house: VariedHouse, count: int, pairs: PairSettings, chosen: ViewpointSettings
) -> Poses:
    """Draw ``count`` walks (count, stops, 4, 4) through the rooms of a house."""
    walks = []
    for start in room_poses(rng, house, count, chosen):
        yaw = float(np.arctan2(start[1, 2], start[0, 2]))
        walk = [start]
        while len(walk) < pairs.stops:
            walk.append(_next_stop(rng, house, start, yaw, pairs, chosen))
        walks.append(np.stack(walk))
    return np.stack(walks)


def _next_stop(
    rng: np.random.Generator,
    house: VariedHouse,
    start: NDArray[np.float64],
    yaw: float,
    pairs: PairSettings,
    chosen: ViewpointSettings,
) -> NDArray[np.float64]:
    """Return a pose near ``start`` that nothing stands between, or ``start`` itself where there is no such place."""
    origin = start[None, :3, 3].astype(np.float32)
    for _ in range(8):
        step = rng.normal(0, 1, 3) * (1, 1, 0.1)
        step *= rng.uniform(0.05, pairs.length) / np.linalg.norm(step)
        free = ~house.lit.caster.is_blocked(origin, (1.3 * step[None]).astype(np.float32))[0]
        spot = (start[:2, 3] + step[:2]) / house.stretch[:2]
        turned = looking(rng, house, spot, yaw + float(np.radians(rng.normal(0, pairs.turn))), chosen)
        turned[2, 3] = start[2, 3] + step[2]
        if free and sees_enough(house.lit.caster, turned, chosen.median_depth_min):
            return turned
    return start


def overlapping_pairs(rng: np.random.Generator, walk: RenderedViews, pairs: PairSettings) -> list[tuple[int, int]]:
    """Draw pairs of the views of a walk whose true overlap, seen from either, is as wanted."""
    found = [
        (first, second)
        for first, second in combinations(range(len(walk)), 2)
        if pairs.overlap[0] <= min(overlap(walk, first, second), overlap(walk, second, first)) <= pairs.overlap[1]
    ]
    return [found[int(i)] for i in rng.permutation(len(found))[: pairs.pairs]]


def overlap(views: RenderedViews, first: int, second: int) -> float:
    """Return the share of the first view's points that the second sees, neither hidden nor outside its picture."""
    points = unproject(views.depth[first : first + 1], views.intrinsics[first : first + 1])[0, ::STRIDE, ::STRIDE]
    into = torch.linalg.inv(views.camera_to_world[second]) @ views.camera_to_world[first]
    seen = (points.double() @ into[:3, :3].T + into[:3, 3]).float().reshape(-1, 3)
    x, y, _ = (seen @ views.intrinsics[second].T / seen[:, 2:].clamp(min=1e-3)).T
    height, width = views.depth.shape[1:]
    inside = (seen[:, 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    other = views.depth[second, y.long().clamp(0, height - 1), x.long().clamp(0, width - 1)]
    known = points.reshape(-1, 3)[:, 2] > 0
    same = inside & known & ((other - seen[:, 2]).abs() < DEPTH_TOLERANCE * seen[:, 2])
    return float(same.sum() / known.sum().clamp(min=1))


def pair_samples(views: RenderedViews, pairs: list[tuple[int, int]]) -> PairSamples:
    """Make pairs of views rendered at twice the size: pictures halved smoothly, depth from every second pixel."""
    first, second = (torch.tensor([pair[side] for pair in pairs], dtype=torch.int64) for side in (0, 1))
    small = functional.avg_pool2d(views.pictures.float(), 2).round().to(torch.uint8).cpu()
    depth, intrinsics = views.depth[:, ::2, ::2].cpu(), halved_intrinsics(views.intrinsics.cpu())
    poses = views.camera_to_world.cpu()
    relative = torch.linalg.inv(poses[first]) @ poses[second]
    both = torch.stack([first, second], dim=1)
    return PairSamples(small[both], depth[both], intrinsics[both], relative.float())


def halved_intrinsics(intrinsics: Tensor) -> Tensor:
    """Return intrinsics (n, 3, 3) of every second pixel, the first included, whose centres lie a quarter aside."""
    halved = intrinsics.clone()
    halved[:, :2] /= 2
    halved[:, :2, 2] += 0.25
    return halved


def unproject(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Return the points (n, h, w, 3) of depth (n, h, w) in the camera's frame."""
    height, width = depth.shape[1:]
    y, x = torch.meshgrid(
        torch.arange(height, device=depth.device) + 0.5, torch.arange(width, device=depth.device) + 0.5, indexing="ij"
    )
    rays = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ torch.linalg.inv(intrinsics)[:, None].mT
    points: Tensor = rays * depth[..., None]
    return points
