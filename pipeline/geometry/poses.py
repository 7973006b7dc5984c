"""How far a reconstruction is from the truth: cameras, intrinsics and depth, as the field measures them.

Relative poses are compared over all pairs of frames, so that no common frame of reference is needed; the AUC is
the one of pose-estimation benchmarks (share of pairs below a threshold, integrated up to the threshold in
one-degree bins, as in VGGT and DUSt3R's evaluations); depth is compared after one scale per clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s

AnyFloats = NDArray[np.floating[Any]]
Pixel = TypeVar("Pixel", bound=np.generic)


@dataclass(frozen=True)
class PoseErrors:
    """Errors of every pair of frames, degrees: rotation (p,) and translation_direction (p,) float64."""

    rotation: Float64s
    translation_direction: Float64s

    def auc(self, threshold: int) -> float:
        """Return the AUC in [0, 1] up to ``threshold`` degrees of the larger of both errors of a pair."""
        return area_under_curve(np.maximum(self.rotation, self.translation_direction), threshold)

    def rotation_auc(self, threshold: int) -> float:
        """Return the AUC in [0, 1] up to ``threshold`` degrees of the rotation errors alone."""
        return area_under_curve(self.rotation, threshold)


@dataclass(frozen=True)
class DepthErrors:
    """Errors of one clip's depth after one scale per clip.

    absolute_relative: mean of ``|depth - truth| / truth`` where both have a value.
    delta: share of those pixels where max(depth / truth, truth / depth) < 1.25.
    given: share of the pixels with true depth that were given a depth.
    scale: the factor that depth was multiplied with.
    """

    absolute_relative: float
    delta: float
    given: float
    scale: float


def pose_errors(camera_to_world: AnyFloats, truth: AnyFloats) -> PoseErrors:
    """Compare the relative poses of all pairs of frames of (n, 4, 4) ``camera_to_world`` with ``truth``.

    The direction of translation has a sign; a pair whose cameras coincide, in either, counts as 180 degrees
    wrong unless they coincide in both.

    Raises:
        ValueError: the shapes differ, or there are fewer than two frames.
    """
    estimate, true = np.asarray(camera_to_world, np.float64), np.asarray(truth, np.float64)
    if estimate.shape != true.shape or len(estimate) < 2:
        message = f"need two equal stacks of at least two poses, not {estimate.shape} and {true.shape}"
        raise ValueError(message)
    first, second = np.array(list(combinations(range(len(estimate)), 2))).T
    relative = np.linalg.inv(estimate[first]) @ estimate[second]
    relative_true = np.linalg.inv(true[first]) @ true[second]
    return PoseErrors(
        rotation=rotation_angle(relative[:, :3, :3], relative_true[:, :3, :3]),
        translation_direction=_direction_angle(relative[:, :3, 3], relative_true[:, :3, 3]),
    )


def area_under_curve(errors: AnyFloats, threshold: int) -> float:
    """Return the area under the recall curve of ``errors`` (degrees) up to ``threshold``, in one-degree bins."""
    if len(errors) == 0:
        return 0.0
    recall = [np.mean(errors < degrees) for degrees in range(1, threshold + 1)]
    return float(np.mean(recall))


def focal_error(intrinsics: AnyFloats, truth: AnyFloats) -> float:
    """Return the median over frames of ``|f - f_true| / f_true``, horizontal focal lengths of (n, 3, 3) intrinsics."""
    focal, focal_true = intrinsics[:, 0, 0], truth[:, 0, 0]
    return float(np.median(np.abs(focal - focal_true) / focal_true))


def depth_errors(depth: AnyFloats, truth: AnyFloats) -> DepthErrors:
    """Compare depth (n, h, w) with true depth of the same shape, 0 = no value in either.

    The scale is the median over the clip of truth / depth.
    """
    known = truth > 0
    both = known & (depth > 0)
    given = float(both.sum() / max(int(known.sum()), 1))
    if not both.any():
        return DepthErrors(float("nan"), float("nan"), given, float("nan"))
    estimate, true = depth[both].astype(np.float64), truth[both].astype(np.float64)
    scale = float(np.median(true / estimate))
    ratio = estimate * scale / true
    return DepthErrors(
        absolute_relative=float(np.mean(np.abs(ratio - 1))),
        delta=float(np.mean(np.maximum(ratio, 1 / ratio) < 1.25)),
        given=given,
        scale=scale,
    )


def resize_nearest(maps: NDArray[Pixel], shape: Sequence[int]) -> NDArray[Pixel]:
    """Sample maps (n, H, W) of depth or labels at the centres of ``shape`` = (h, w) pixels, nearest value."""
    rows = ((np.arange(shape[0]) + 0.5) * maps.shape[1] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * maps.shape[2] / shape[1]).astype(np.int64)
    return maps[:, rows[:, None], columns[None, :]]


def similarity_scale(similarity: NDArray[np.floating[Any]]) -> float:
    """Return the scale of a similarity (4, 4): det(s R) = s^3."""
    return float(np.cbrt(np.linalg.det(similarity[:3, :3])))


def moved(camera_to_world: Float64s, similarity: Float64s) -> tuple[Float64s, float]:
    """Return cameras (S, 4, 4) after a similarity (4, 4), rotations without its scale, and the scale."""
    scale = similarity_scale(similarity)
    cameras = similarity @ camera_to_world
    cameras[:, :3, :3] /= scale
    return cameras, scale


def transformed(points: Float64s, similarity: Float64s) -> Float64s:
    """Return points (k, 3) after a similarity (4, 4)."""
    return np.asarray(points @ similarity[:3, :3].T + similarity[:3, 3])


def rotation_angle(rotation: Float64s, truth: Float64s) -> Float64s:
    """Return the angle (n,) in degrees between rotations (n, 3, 3): norm(R - Q) = sqrt(8) sin(angle / 2)."""
    chord = np.linalg.norm(rotation - truth, axis=(1, 2))
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(chord / np.sqrt(8), 0, 1))))


def _direction_angle(translation: Float64s, truth: Float64s) -> Float64s:
    length, length_true = np.linalg.norm(translation, axis=1), np.linalg.norm(truth, axis=1)
    moved, moved_true = length > 1e-9, length_true > 1e-9
    unit = translation / np.where(moved, length, 1)[:, None]
    unit_true = truth / np.where(moved_true, length_true, 1)[:, None]
    angle = np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(unit - unit_true, axis=1) / 2, 0, 1)))
    return np.where(moved & moved_true, angle, np.where(moved == moved_true, 0.0, 180.0))
