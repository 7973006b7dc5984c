"""How surely what a clip shows before and after each of its frames is of one size; parts that hang loose are cut off.

A camera that turns away may leave nothing in view but what the next frames see too: two parts of a clip then hang
together at one frame, each right in itself, and hardly anything says how large one is beside the other.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.notes import alone_notes, loose_notes
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel

LEAST_NOISE_PX = 1.0
"""What pixels are off by at least: cameras of a part are taken for right beside each other, which is not quite so."""

FREEDOM = 7
"""Of a similarity: turn, shift, ln of size."""


def tied(found: SparseModel, most: float) -> tuple[SparseModel, tuple[str, ...]]:
    """Return the part of a model that hangs together, its size surer than ``most`` throughout, and what was cut off."""
    alone = found.alone()
    model = found.without(alone) if alone.any() else found
    loose = loose_frames(model, most)
    return model.without(loose) if loose.any() else model, alone_notes(alone) + loose_notes(loose)


def size_deviations(model: SparseModel) -> Float64s:
    """Return (n,) the standard deviation of ln of the size of the frames from each one on, beside those before it.

    Each side is taken for rigid; points that both see tell the similarity between them (Schur complement of the normal
    equations of bundle adjustment). 0 where a side has fewer than two frames, and so no size; infinite where nothing
    ties the sides together.
    """
    frames = np.flatnonzero(model.registered).tolist()
    towards_point, noise = _towards_points(model)
    # P_j = sum_i A_ij^T A_ij, the normal matrix of point j
    of_point = np.zeros((len(model.points), 3, 3))
    np.add.at(of_point, model.observed_point, np.einsum("kia,kib->kab", towards_point, towards_point))
    deviations = np.zeros(len(model.registered))
    for before, first in list(pairwise(frames))[1:-1]:
        centre = model.camera_to_world[[before, first], :3, 3].mean(axis=0)
        tied = _seen_from_both(model, first)
        seen = (model.observed_frame >= first) & tied[model.observed_point]
        # of x' = x + w x (x - c) + t + s (x - c): B_ij = A_ij dx'/d(w, t, s)
        towards_side = towards_point[seen] @ _by_similarity(model.points[model.observed_point[seen]] - centre)
        deviations[first] = noise * _deviation_of_size(
            of_point[tied], towards_point[seen], towards_side, (np.cumsum(tied) - 1)[model.observed_point[seen]]
        )
    return deviations


def loose_frames(model: SparseModel, most: float) -> NDArray[np.bool_]:
    """Return as (n,) the registered frames beyond a hinge, where size is less sure than ``most``; more frames stay."""
    kept = model
    while True:
        deviations = size_deviations(kept)
        if deviations.max(initial=0.0) <= most:
            return np.asarray(model.registered & ~kept.registered)
        loosest = np.flatnonzero(deviations == deviations.max())
        first = min(loosest.tolist(), key=lambda at: int(_seen_from_both(kept, at).sum()))
        after = np.arange(len(kept.registered)) >= first
        is_larger = 2 * (kept.registered & after).sum() > kept.registered.sum()
        kept = kept.without(kept.registered & (~after if is_larger else after))


def _towards_points(model: SparseModel) -> tuple[Float64s, float]:
    """Return how observed pixels (k, 2, 3) follow their points, and by how much they miss them, pixels."""
    camera_from_world = np.linalg.inv(model.camera_to_world[model.observed_frame])
    at = np.einsum("kij,kj->ki", camera_from_world[:, :3, :3], model.points[model.observed_point])
    x, y, z = (at + camera_from_world[:, :3, 3]).T
    across, down = np.diag(model.intrinsics)[:2]
    column, row = across * x / z, down * y / z
    off = np.stack([column, row], axis=1) + model.intrinsics[:2, 2] - model.observed_pixel
    nothing = np.zeros_like(z)
    of_camera = np.array([[across / z, nothing, -column / z], [nothing, down / z, -row / z]]).transpose(2, 0, 1)
    # sigma = 1.48 median |r|, of a normal distribution
    noise = max(LEAST_NOISE_PX, 1.48 * float(np.median(np.abs(off)))) if len(off) else LEAST_NOISE_PX
    return of_camera @ camera_from_world[:, :3, :3], noise


def _seen_from_both(model: SparseModel, first: int) -> NDArray[np.bool_]:
    """Return which points (m,) are seen both from frame ``first`` or later and from before it."""
    after, count = model.observed_frame >= first, len(model.points)
    sides = (np.bincount(model.observed_point[side], minlength=count) > 0 for side in (after, ~after))
    return np.logical_and(*sides)


def _by_similarity(from_centre: Float64s) -> Float64s:
    """Return how points (k, 3) follow a small turn, shift and growth about the centre: (k, 3, 7)."""
    x, y, z = from_centre.T
    nothing = np.zeros_like(x)
    turned = np.array([[nothing, z, -y], [-z, nothing, x], [y, -x, nothing]]).transpose(2, 0, 1)
    shifted = np.broadcast_to(np.eye(3), turned.shape)
    return np.concatenate([turned, shifted, from_centre[..., None]], axis=2)


def _deviation_of_size(
    of_point: Float64s, towards_point: Float64s, towards_side: Float64s, point: NDArray[np.int64]
) -> float:
    """Return the deviation of the last of seven numbers of a side, for pixels with a deviation of 1.

    of_point: (m, 3, 3), normal matrices of points. towards_point: (k, 2, 3) and towards_side: (k, 2, 7), of what the
    side sees of them. point: (k,), which of the m.
    """
    both = np.zeros((len(of_point), 3, FREEDOM))
    np.add.at(both, point, np.einsum("kia,kib->kab", towards_point, towards_side))
    # S = sum B^T B - sum_j W_j^T P_j^-1 W_j
    known = np.einsum("kia,kib->ab", towards_side, towards_side)
    known -= np.einsum("jai,jab,jbk->ik", both, np.linalg.pinv(of_point, hermitian=True), both)
    scale = np.sqrt(np.maximum(np.diag(known), 1e-12))
    if len(of_point) == 0 or np.linalg.matrix_rank(known / np.outer(scale, scale), tol=1e-9, hermitian=True) < FREEDOM:
        return float("inf")
    return float(np.sqrt(np.linalg.inv(known)[-1, -1]))
