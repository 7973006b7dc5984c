"""Measures the signs of a model on itself and on the matches that it rests on."""

from itertools import pairwise

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.pairs import VerifiedPair
from pipeline.stages.reconstruction.colmap.signs import UNKNOWN, CameraSigns
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel

NEAR_PX = 2.0
"""Distance from its epipolar line up to which the model explains a match."""


def signs_of(model: SparseModel, pairs: list[VerifiedPair], looked_at: int) -> CameraSigns:
    """Return the signs of a model that tell without a second one.

    pairs: those whose verification the model rests on. looked_at: pairs that had matches enough to be verified.
    """
    frames = np.flatnonzero(model.registered).tolist()
    if len(frames) < 2:
        return CameraSigns(registered_share=len(frames) / max(len(model.registered), 1))
    inside = [pair for pair in pairs if model.registered[pair.first] and model.registered[pair.second]]
    distance = [epipolar_distance(model, pair) for pair in inside]
    turns = [rotation_angle(_relative(model, a, b)[:3, :3]) for a, b in pairwise(frames)]
    return CameraSigns(
        registered_share=len(frames) / len(model.registered),
        jump=_jump(model.camera_to_world[frames, :3, 3]),
        contradicted=float(np.mean([np.mean(d < NEAR_PX) < 0.5 for d in distance])) if distance else UNKNOWN,
        epipolar_p90=float(np.percentile([np.median(d) for d in distance], 90)) if distance else UNKNOWN,
        neighbour_rotation=_neighbour_rotation(model, inside),
        largest_turn=float(np.max(turns)),
        median_turn=float(np.median(turns)),
        fewest_observations=float(np.bincount(model.observed_frame, minlength=len(model.registered))[frames].min()),
        weakest_cut=_weakest_cut(frames, inside),
        verified_share=len(pairs) / looked_at if looked_at else UNKNOWN,
    )


def epipolar_distance(model: SparseModel, pair: VerifiedPair) -> Float64s:
    """Return the distance (m,) of the matches of a pair from the model's epipolar lines, pixels.

    The mean over both pictures.
    """
    motion = _relative(model, pair.first, pair.second)
    across = np.cross(np.eye(3), motion[:3, 3])
    k_first, k_second = model.frame_intrinsics()[[pair.first, pair.second]]
    fundamental = np.linalg.inv(k_second).T @ across.T @ motion[:3, :3] @ np.linalg.inv(k_first)
    first, second = (np.column_stack([p, np.ones(len(p))]) for p in (pair.pixels_first, pair.pixels_second))
    lines_second, lines_first = first @ fundamental.T, second @ fundamental
    product = np.abs(np.sum(second * lines_second, axis=1))
    lengths = [np.maximum(np.linalg.norm(lines[:, :2], axis=1), 1e-12) for lines in (lines_first, lines_second)]
    return np.asarray(product * (1 / lengths[0] + 1 / lengths[1]) / 2)


def rotation_angle(rotation: Float64s) -> float:
    """Return the angle of a rotation (3, 3), degrees."""
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def _relative(model: SparseModel, first: int, second: int) -> Float64s:
    return np.asarray(np.linalg.inv(model.camera_to_world[second]) @ model.camera_to_world[first])


def _jump(centres: Float64s) -> float:
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    median = float(np.median(steps))
    return float(steps.max()) / median if median > 0 else float("inf")


def _neighbour_rotation(model: SparseModel, pairs: list[VerifiedPair]) -> float:
    angles = [
        rotation_angle(_relative(model, pair.first, pair.second)[:3, :3] @ pair.rotation.T)
        for pair in pairs
        if pair.rotation is not None and abs(pair.second - pair.first) == 1
    ]
    return float(np.percentile(angles, 90)) if angles else UNKNOWN


def _weakest_cut(frames: list[int], pairs: list[VerifiedPair]) -> float:
    cuts = [
        sum(len(p.pixels_first) for p in pairs if min(p.first, p.second) <= frame < max(p.first, p.second))
        for frame in frames[:-1]
    ]
    return float(min(cuts))
