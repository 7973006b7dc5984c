"""How surely what a clip shows before and after each of its frames is of one size; parts that hang loose are cut off.

A camera that turns away may leave nothing in view but what the next frames see too: two parts of a clip then hang
together at one frame, each right in itself, and hardly anything says how large one is beside the other.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.geometry.slopes import cross_matrices, pixel_slopes
from pipeline.stages.reconstruction.colmap.notes import alone_notes, loose_notes
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel

LEAST_NOISE_PX = 1.0
"""What pixels are off by at least: cameras of a part are taken for right beside each other, which is not quite so."""

OF_A_STEP = 0.1
"""What a first or last frame is off by, in steps, counts so much beside sizes: it is one frame among the others."""

UNKNOWN = 1.0
"""Deviation from which on nothing is known of a size, and more is no worse."""

FEWEST = 4
"""Frames below which a clip has no parts."""

TINY, NOTHING = 1e-12, 1e-9
"""Below which a number of a side is not known at all, and a share of what is known of the others."""


def tied(found: SparseModel, most: float) -> tuple[SparseModel, tuple[str, ...]]:
    """Return the part of a model that hangs together, its size surer than ``most`` throughout, and what was cut off."""
    alone = found.alone()
    model = found.without(alone) if alone.any() else found
    loose = loose_frames(model, most)
    return model.without(loose) if loose.any() else model, alone_notes(alone) + loose_notes(loose)


def size_deviations(model: SparseModel) -> Float64s:
    """Return (n,) the standard deviation of ln of the size of the frames from each one on, beside those before it.

    Each side is taken for rigid; points that both see tell the similarity between them (Schur complement of the normal
    equations of bundle adjustment). A side of one frame has no size: a tenth of how sure its distance from the other
    side is counts, as a share of the usual step. 0 for the first frame; infinite where nothing ties the sides together.
    """
    frames = np.flatnonzero(model.registered).tolist()
    deviations = np.zeros(len(model.registered))
    if len(frames) < FEWEST:
        return deviations
    centres = model.camera_to_world[:, :3, 3]
    usual = float(np.median(np.linalg.norm(np.diff(centres[frames], axis=0), axis=1)))
    derivatives = _towards_points(model)
    for before, first in pairwise(frames):
        moves = model.observed_frame >= first if before != frames[0] else model.observed_frame < first
        known = _known_of_side(model, derivatives, moves, (centres[before] + centres[first]) / 2)
        if before == frames[0] or first == frames[-1]:
            deviations[first] = _deviation_of_step(known[:6, :6], centres[first] - centres[before], usual)
        else:
            deviations[first] = _deviation_of_size(known)
    return deviations


def loose_frames(model: SparseModel, most: float) -> NDArray[np.bool_]:
    """Return as (n,) the registered frames beyond a hinge, where size is less sure than ``most``; more frames stay."""
    kept = model
    while True:
        deviations = size_deviations(kept)
        if deviations.max(initial=0.0) <= most:
            return np.asarray(model.registered & ~kept.registered)
        loosest = np.flatnonzero(deviations >= min(float(deviations.max()), UNKNOWN))
        first = min(loosest.tolist(), key=lambda at: int(_seen_from_both(kept, at).sum()))
        after = np.arange(len(kept.registered)) >= first
        is_larger = 2 * (kept.registered & after).sum() > kept.registered.sum()
        kept = kept.without(kept.registered & (~after if is_larger else after))


class _Derivatives(NamedTuple):
    """How observed pixels (k, 2, 3) follow their points, divided by their deviation; (m, 3, 3): A^T A of points."""

    towards_point: Float64s
    of_point: Float64s


def _towards_points(model: SparseModel) -> _Derivatives:
    camera_from_world = np.linalg.inv(model.camera_to_world[model.observed_frame])
    at = np.einsum("kij,kj->ki", camera_from_world[:, :3, :3], model.points[model.observed_point])
    seen, focal = at + camera_from_world[:, :3, 3], np.diag(model.intrinsics)[:2]
    off = focal * seen[:, :2] / seen[:, 2:] + model.intrinsics[:2, 2] - model.observed_pixel
    # sigma = 1.48 median |r|, of a normal distribution
    noise = max(LEAST_NOISE_PX, 1.48 * float(np.median(np.abs(off))))
    towards_point = pixel_slopes(seen, focal) @ camera_from_world[:, :3, :3] / noise
    of_point = np.zeros((len(model.points), 3, 3))
    np.add.at(of_point, model.observed_point, np.einsum("kia,kib->kab", towards_point, towards_point))
    return _Derivatives(towards_point, of_point)


def _seen_from_both(model: SparseModel, first: int) -> NDArray[np.bool_]:
    """Return which points (m,) are seen both from frame ``first`` or later and from before it."""
    return _shared(model, model.observed_frame >= first)


def _shared(model: SparseModel, side: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which points (m,) are among the observations of a side, (k,) bool, and among the others."""
    on_side, elsewhere = (np.bincount(model.observed_point[k], minlength=len(model.points)) for k in (side, ~side))
    return np.asarray((on_side > 0) & (elsewhere > 0))


def _known_of_side(
    model: SparseModel, derivatives: _Derivatives, side: NDArray[np.bool_], centre: Float64s
) -> Float64s:
    """Return what is known (7, 7) of a side's turn, shift and ln of size about ``centre``, as an inverse covariance.

    side: (k,) bool, its observations.
    """
    shared = _shared(model, side)
    seen = side & shared[model.observed_point]
    towards_point, point = derivatives.towards_point[seen], (np.cumsum(shared) - 1)[model.observed_point[seen]]
    # of x' = x + w x (x - c) + t + s (x - c): B_ij = A_ij dx'/d(w, t, s)
    towards_side = towards_point @ _by_similarity(model.points[model.observed_point[seen]] - centre)
    both = np.zeros((int(shared.sum()), 3, 7))
    np.add.at(both, point, np.einsum("kia,kib->kab", towards_point, towards_side))
    # S = sum B^T B - sum_j W_j^T P_j^-1 W_j
    of_side = np.einsum("kia,kib->ab", towards_side, towards_side)
    inverse = np.linalg.pinv(derivatives.of_point[shared], hermitian=True)
    return np.asarray(of_side - np.einsum("jai,jab,jbk->ik", both, inverse, both))


def _by_similarity(from_centre: Float64s) -> Float64s:
    """Return how points (k, 3) follow a small turn, shift and growth about the centre: (k, 3, 7)."""
    turned = -cross_matrices(from_centre)
    shifted = np.broadcast_to(np.eye(3), turned.shape)
    return np.concatenate([turned, shifted, from_centre[..., None]], axis=2)


def _deviation_of_size(known: Float64s) -> float:
    covariance = _covariance(known)
    return float("inf") if covariance is None else float(np.sqrt(covariance[-1, -1]))


def _deviation_of_step(known: Float64s, step: Float64s, usual: float) -> float:
    """Return the deviation of a frame's distance along its step, in steps, or in usual ones where those are longer."""
    covariance, length = _covariance(known), float(np.linalg.norm(step))
    if covariance is None or max(length, usual) == 0:
        return float("inf")
    along = step / length if length > 0 else np.zeros(3)
    return OF_A_STEP * math.sqrt(max(float(along @ covariance[3:6, 3:6] @ along), 0.0)) / max(length, usual)


def _covariance(known: Float64s) -> Float64s | None:
    """Return the inverse; None where something is not known at all."""
    scale = np.sqrt(np.maximum(np.diag(known), TINY))
    if np.linalg.matrix_rank(known / np.outer(scale, scale), tol=NOTHING, hermitian=True) < len(known):
        return None
    return np.asarray(np.linalg.inv(known))
