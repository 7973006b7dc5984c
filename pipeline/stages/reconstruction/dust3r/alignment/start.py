"""The start of the alignment: focal lengths, then cameras along a spanning tree of the most confident pairs."""

import math

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.geometry.similarity import fit_similarity, similarity_scale, transform
from pipeline.stages.reconstruction.dust3r.alignment.graph import spanning_tree
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from pipeline.stages.reconstruction.dust3r.alignment.records import Known
from pipeline.stages.reconstruction.dust3r.alignment.state import State

_ROUNDS = 10
_MOST_LOG_SCALE = math.log(1e4)
"""Pointmaps of one clip whose units differ by more are not linked."""
_USUAL_DISAGREEMENT = 0.02
"""Relative residual between two pointmaps of one image below which confidence alone ranks pairs."""


def initial_state(seen: Observations, known: Known, *, shared_focal: bool) -> State:
    """Cameras, pair scales and focal lengths from pairwise registration; known poses and focals are put in."""
    focal = initial_focal(seen, known, shared_focal=shared_focal)
    own, own_weight = _own_pointmaps(seen, focal)
    to_first, disagreement = _link_own_pointmaps(seen, own, own_weight)
    score = seen.first()[1].mean(1) * seen.second()[1].mean(1) / (_USUAL_DISAGREEMENT + disagreement)
    to_world = _walk_tree(seen, to_first, score)
    if known.camera_to_world is not None:
        to_world = _move_to_known(to_world, torch.as_tensor(known.camera_to_world).to(to_world))
    scale = similarity_scale(to_world)
    camera_to_world = to_world.clone()
    camera_to_world[:, :3, :3] /= scale[:, None, None]
    source = seen.source[: seen.pair_count]
    pair_scale = scale[source] * _scale_to_own(seen, own, own_weight)
    return State(camera_to_world, pair_scale.log(), focal.log())


def initial_focal(seen: Observations, known: Known, *, shared_focal: bool) -> Tensor:
    """Focal lengths (N,): of each image, from pairs that have it **first**; equal where one camera filmed all."""
    focal_of_pair = fit_focal(seen.pixels, *seen.first())
    source = seen.source[: seen.pair_count]
    score = seen.first()[1].mean(1)
    common = _weighted_median(focal_of_pair, score)
    focal = common.repeat(seen.image_count)
    if not shared_focal:
        for image in set(source.tolist()):
            mine = source == image
            focal[image] = _weighted_median(focal_of_pair[mine], score[mine])
    if known.focal is not None:
        given = torch.as_tensor(known.focal).to(focal)
        if shared_focal and given.isfinite().any():
            focal = given[given.isfinite()].median().repeat(len(focal))
        focal = torch.where(given.isfinite(), given, focal)
    return focal


def fit_focal(pixels: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """Focal lengths (E,) that best explain pointmaps (E, P, 3) seen by their own cameras (Weiszfeld's rounds)."""
    slope = points[..., :2] / points[..., 2:].clip(min=1e-9)
    weight = weight * (points[..., 2] > 1e-9)
    round_weight = weight
    for _ in range(_ROUNDS):
        # least squares of pixel = f (x / z, y / z): f = sum k s . p / sum k |s|^2
        focal = (round_weight * (slope * pixels).sum(-1)).sum(1) / (round_weight * slope.square().sum(-1)).sum(1)
        residual = (pixels - focal[:, None, None] * slope).norm(dim=-1)
        # k = w / |p - f s|: least distance instead of least squares
        round_weight = weight / residual.clip(min=1e-3)
    return focal


def _own_pointmaps(seen: Observations, focal: Tensor) -> tuple[Tensor, Tensor]:
    """For each image the pointmap (N, P, 3) in its own camera's frame, with weights, from its best pair."""
    points, weight = seen.first()
    score = weight.mean(1) * seen.second()[1].mean(1)
    best = _best_pair_of(seen.source[: seen.pair_count], score, seen.image_count)
    own, own_weight = points[best], weight[best]
    for image in (best < 0).nonzero()[:, 0].tolist():
        second = torch.where(seen.target[seen.pair_count :] == image, score, -1.0).argmax()
        own[image] = _into_own_frame(seen.second()[0][second], seen.pixels, float(focal[image]))
        own_weight[image] = seen.second()[1][second]
    return own, own_weight


def _best_pair_of(image: Tensor, score: Tensor, count: int) -> Tensor:
    """Index of the best-scored pair of every image, -1 for images that have none."""
    mine = image[:, None] == torch.arange(count, device=image.device)
    top, best = torch.where(mine, score[:, None], -1.0).max(0)
    return torch.where(top < 0, -1, best)


def _into_own_frame(points: Tensor, pixels: Tensor, focal: float) -> Tensor:
    """Move a pointmap into the frame of the camera that sees it, for images that are first in no pair."""
    intrinsics = np.diag([focal, focal, 1.0])
    world, plane = points.cpu().numpy(), pixels.cpu().numpy()
    found, turn, shift = cv2.solvePnP(world, plane, intrinsics, np.zeros(4), flags=cv2.SOLVEPNP_SQPNP)
    rotation = torch.from_numpy(cv2.Rodrigues(turn)[0] if found else np.eye(3)).to(points)
    return points @ rotation.T + torch.from_numpy(np.ravel(shift) if found else np.zeros(3)).to(points)


def _scale_to_own(seen: Observations, own: Tensor, own_weight: Tensor) -> Tensor:
    """Factor (E,) from a pair's units to those of its first image's own pointmap; 1 where nothing sure is in both."""
    points, weight = seen.first()
    target = own[seen.source[: seen.pair_count]]
    weight = weight * own_weight[seen.source[: seen.pair_count]]
    round_weight = weight
    for _ in range(_ROUNDS):
        # least squares of y = a x: a = sum k x . y / sum k |x|^2
        dot = (round_weight * (points * target).sum(-1)).sum(1)
        scale = dot / (round_weight * points.square().sum(-1)).sum(1).clip(min=1e-300)
        residual = (target - scale[:, None, None] * points).norm(dim=-1)
        round_weight = weight / residual.clip(min=1e-4 * target[..., 2].abs().median())
    return torch.where(scale > 0, scale, 1.0)


def _link_own_pointmaps(seen: Observations, own: Tensor, own_weight: Tensor) -> tuple[Tensor, Tensor]:
    """Similarities (E, 4, 4) from the second image's own pointmap to the first's, and their median relative residuals.

    A pair that is sure of no pixel in common gives none: the identity stands for it, with an infinite residual.
    """
    points, weight = seen.second()
    second = seen.target[seen.pair_count :]
    in_first = points * _scale_to_own(seen, own, own_weight)[:, None, None]
    to_first = fit_similarity(own[second], in_first, weight * own_weight[second])
    residual = (transform(to_first, own[second]) - in_first).norm(dim=-1)
    disagreement = (residual / in_first.norm(dim=-1).clip(min=1e-12)).median(dim=1).values
    credible = (similarity_scale(to_first).log().abs() < _MOST_LOG_SCALE) & disagreement.isfinite()
    identity = torch.eye(4).to(to_first)
    return torch.where(credible[:, None, None], to_first, identity), torch.where(credible, disagreement, math.inf)


def _walk_tree(seen: Observations, to_first: Tensor, score: Tensor) -> Tensor:
    """Similarities (N, 4, 4) from each image's own pointmap to the world, the frame of the tree's root."""
    edges = torch.stack([seen.source[: seen.pair_count], seen.target[seen.pair_count :]], 1).cpu().numpy()
    strength = score.clip(min=1e-9).cpu().numpy()
    order, parent = spanning_tree(seen.image_count, edges, strength)
    best = _best_directed(edges, strength)
    to_world = torch.eye(4).to(to_first).repeat(seen.image_count, 1, 1)
    for image in order[1:].tolist():
        above = int(parent[image])
        link = best[min(above, image), max(above, image)]
        step = to_first[link] if edges[link, 0] == above else torch.linalg.inv(to_first[link])
        to_world[image] = to_world[above] @ step
    return to_world


def _best_directed(edges: NDArray[np.int64], score: NDArray[np.float64]) -> dict[tuple[int, int], int]:
    """Best-scored direction of every pair of images, by (lower, higher) image."""
    ends = np.sort(edges, axis=1)
    return {(int(ends[pair, 0]), int(ends[pair, 1])): int(pair) for pair in np.argsort(score, kind="stable")}


def _move_to_known(to_world: Tensor, known: Tensor) -> Tensor:
    """Move the world onto the known poses, then put these in; with one known pose the scale stays as it is."""
    given = known.isfinite().all(-1).all(-1).nonzero()[:, 0]
    if not len(given):
        return to_world
    scale = similarity_scale(to_world)
    turned = known[given, :3, :3] @ to_world[given, :3, :3].mT / scale[given, None, None]
    u, _, vt = torch.linalg.svd(turned.sum(0))
    rotation = u @ torch.diag(torch.tensor([1.0, 1.0, float(torch.det(u @ vt).sign())]).to(u)) @ vt
    centres, truth = to_world[given, :3, 3] @ rotation.T, known[given, :3, 3]
    spread, true_spread = centres - centres.mean(0), truth - truth.mean(0)
    stretch = (spread * true_spread).sum() / spread.square().sum().clip(min=1e-12)
    stretch = torch.where(stretch > 1e-6, stretch, torch.ones_like(stretch))
    move = torch.eye(4).to(to_world)
    move[:3, :3] = stretch * rotation
    move[:3, 3] = truth.mean(0) - stretch * centres.mean(0)
    moved = move @ to_world
    moved[given, :3, :3] = known[given, :3, :3] * similarity_scale(moved)[given, None, None]
    moved[given, :3, 3] = truth
    return moved


def _weighted_median(values: Tensor, weight: Tensor) -> Tensor:
    order = values.argsort()
    mass = weight[order].cumsum(0)
    return values[order][torch.searchsorted(mass, mass[-1] / 2)]
