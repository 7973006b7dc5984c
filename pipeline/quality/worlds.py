"""Whether clips that share a world lie in it as they truly do: their scales, turns and points against exact truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.camera import pointmap
from pipeline.contract.records import MetricScene
from pipeline.geometry.poses import depth_errors, rotation_angle, similarity_scale, transformed


@dataclass(frozen=True)
class WorldErrors:
    """How far the clips of a world are from lying as they do in truth.

    factor: largest over smallest of the factors that give each clip its true size; 1 is perfect, whatever the size of
    the world. turn: degrees between the clips' rotations to the truth, the largest. apart: metres, median distance of
    true points from where the last clip has them, once the first clip is laid on the truth. alone: the same where the
    last clip itself is laid on the truth, so that only its own depth and cameras err.
    """

    factor: float
    turn: float
    apart: float
    alone: float


def world_errors(clips: Sequence[tuple[MetricScene, MetricScene]]) -> WorldErrors:
    """Compare clips of one world, each with its truth, in their order.

    All frames of an estimate are registered; its truth has depth of the same shape (n, h, w), 0 = no value in either.
    """
    to_truth = [similarity_to_truth(estimate, truth) for estimate, truth in clips]
    scales = [similarity_scale(one) for one in to_truth]
    turns = [one[:3, :3] / scale for one, scale in zip(to_truth, scales, strict=True)]
    others = [rotation_angle(np.stack(turns), np.repeat(turn[None], len(turns), axis=0)).max() for turn in turns]
    return WorldErrors(
        factor=max(scales) / min(scales),
        turn=float(max(others)),
        apart=_apart(*clips[-1], to_truth[0]),
        alone=_apart(*clips[-1], to_truth[-1]),
    )


def similarity_to_truth(estimate: MetricScene, truth: MetricScene) -> Float64s:
    """Return the similarity (4, 4) from an estimate's world to the true one: scale by depth, the rest by cameras."""
    scale = depth_errors(estimate.depth, truth.depth).scale
    cameras, true = (one.camera_to_world.astype(np.float64) for one in (estimate, truth))
    u, _, vt = np.linalg.svd((true[:, :3, :3] @ cameras[:, :3, :3].transpose(0, 2, 1)).mean(axis=0))
    similarity = np.eye(4)
    similarity[:3, :3] = scale * u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    similarity[:3, 3] = np.median(true[:, :3, 3] - cameras[:, :3, 3] @ similarity[:3, :3].T, axis=0)
    return similarity


def _apart(estimate: MetricScene, truth: MetricScene, to_truth: Float64s) -> float:
    distances = []
    for n, (depth, true) in enumerate(zip(estimate.depth, truth.depth, strict=True)):
        both = (depth > 0) & (true > 0)
        found = pointmap(depth, estimate.intrinsics[n], estimate.camera_to_world[n])[both]
        wanted = pointmap(true, truth.intrinsics[n], truth.camera_to_world[n])[both]
        distances.append(np.linalg.norm(transformed(found, to_truth) - wanted, axis=1))
    return float(np.median(np.concatenate(distances)))
