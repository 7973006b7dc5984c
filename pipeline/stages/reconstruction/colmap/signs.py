"""Signs of whether a model of a clip is right, measured on the model and on its matches.

Reprojection error, focal length and track length are none: models that are grossly wrong have them as good as right
ones (measured on 96 models of 12 real clips). What tells is what a hinge between two rigid pieces breaks.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.geometry.poses import pose_errors

UNKNOWN = float("nan")

FEW_SHARED = 0.6
"""Share of frames below which another model says little of this one."""


@dataclass(frozen=True)
class CameraSigns:
    """What speaks for and against the cameras of a clip; nan where it cannot be told.

    registered_share: frames with a camera, of all that were looked at.
    jump: longest step between successive registered cameras, in median steps; a hinge or a collapse makes it long, a
        walk that stops and goes as well.
    contradicted: share of verified pairs of which the model explains less than half of the matches.
    epipolar_p90: 90th percentile over verified pairs of their matches' median distance from the model's epipolar
        lines, pixels.
    neighbour_rotation: 90th percentile over pairs of neighbours of the angle between the model's rotation and the one
        that the two pictures alone tell, degrees.
    largest_turn, median_turn: of the camera from one registered frame to the next, degrees.
    fewest_observations: of a registered camera.
    weakest_cut: fewest matches that hold the frames before and after any point of time together.
    verified_share: verified pairs, of all pairs with matches enough to be looked at.
    agreement_rotation: 90th percentile of the angle between relative rotations of this model and of one of other
        input (another focal length to start from, other frames, other features), degrees.
    agreement_direction: median angle between their directions of movement, degrees.
    agreement_shared: frames that both have, of those that either has.
    """

    registered_share: float = UNKNOWN
    jump: float = UNKNOWN
    contradicted: float = UNKNOWN
    epipolar_p90: float = UNKNOWN
    neighbour_rotation: float = UNKNOWN
    largest_turn: float = UNKNOWN
    median_turn: float = UNKNOWN
    fewest_observations: float = UNKNOWN
    weakest_cut: float = UNKNOWN
    verified_share: float = UNKNOWN
    agreement_rotation: float = UNKNOWN
    agreement_direction: float = UNKNOWN
    agreement_shared: float = UNKNOWN

    @classmethod
    def of_row(cls, row: Float64s) -> "CameraSigns":
        """Return what ``row`` made a row (k,) of; raises ``TypeError`` where it has another length."""
        return cls(**dict(zip((field.name for field in fields(cls)), row.tolist(), strict=True)))

    def row(self) -> Float64s:
        """Return the figures as (k,), in the order of their fields."""
        return np.array(astuple(self), np.float64)


def with_best_agreement(signs: CameraSigns, own: Float64s, others: Sequence[Float64s]) -> CameraSigns:
    """Return signs that say how far the cameras ``own`` (n, 4, 4) agree with that of ``others`` which agrees best.

    Zeros where a frame has no camera. What the signs say already of another model counts as one of the others.
    """
    found = [signs, *(_with_agreement(signs, own, other) for other in others)]
    return min(found, key=_disagreement)


def _disagreement(signs: CameraSigns) -> tuple[bool, float]:
    """Rank how far another model disagrees: one that shares few frames, or nobody, says least."""
    few = not signs.agreement_shared >= FEW_SHARED
    return few, float(np.nan_to_num(signs.agreement_rotation, nan=np.inf))


def _with_agreement(signs: CameraSigns, own: Float64s, other: Float64s) -> CameraSigns:
    has_own, has_other = own[:, 3, 3] != 0, other[:, 3, 3] != 0
    shared = has_own & has_other
    if shared.sum() < 2:
        return replace(signs, agreement_rotation=UNKNOWN, agreement_direction=UNKNOWN, agreement_shared=0.0)
    errors = pose_errors(own[shared], other[shared])
    return replace(
        signs,
        agreement_rotation=float(np.percentile(errors.rotation, 90)),
        agreement_direction=float(np.median(errors.translation_direction)),
        agreement_shared=float(shared.sum() / (has_own | has_other).sum()),
    )
