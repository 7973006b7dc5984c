"""Signs that a reconstruction may be wrong, each a number that grows with doubt; alone none of them decides.

What the cameras say of each other, what verified matches and models of other input say of the cameras; what dense
depth says of both is in ``surfaces.py``. Reprojection error, focal length and track length are no signs: models that
are grossly wrong have them as good as right ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.geometry.epipolar import distance_from_lines
from pipeline.geometry.poses import pose_errors
from pipeline.stages.reconstruction.colmap.pairs import MatchedPair
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.first_look import LensFit

Signs = Mapping[str, float]
"""Signs by name; nan where a clip does not tell."""

NEAR_PX = 2.0
"""Distance from its epipolar line within which a match agrees with two cameras, pixels of the 640x480 picture."""

RIM, MIDDLE = 0.7, 0.4
"""Parts of the distance of the farthest match from the centre beyond which is the rim, and within which the middle."""


UNKNOWN: Signs = dict.fromkeys(("contradicted", "epipolar", "rim", "apart", "bend"), float("nan"))
"""Signs that need more than the model."""

USUAL_FOCAL = 0.8
"""Picture widths of what is stored: halfway between wide cameras (0.5) and phones that steady the picture (1.3)."""

FAILED = 20.0
"""Degrees beyond which another model does not doubt this one: it came to nothing itself."""

MOST = 0.6
"""Share of frames that two models must both have placed for one to say anything of the other."""


def signs_of(model: SparseModel) -> Signs:
    """Return the signs of two registered cameras or more: of the model as it is, and those that were found with it."""
    return {**path_signs(model), **_point_signs(model), **UNKNOWN, **model.signs}


def path_signs(model: SparseModel) -> dict[str, float]:
    """Return the signs of two registered cameras or more, whoever found them.

    missing: share of frames without a camera. few: 1 over the number with one. jump: longest step between registered
    frames over the median step. turn: largest turn of a step, degrees. unusual: distance of ln(focal length) from that
    of usual cameras.
    """
    frames = np.flatnonzero(model.registered)
    steps = np.linalg.norm(np.diff(model.camera_to_world[frames, :3, 3], axis=0), axis=1) / np.diff(frames)
    return {
        "missing": float(1 - model.registered.mean()),
        "few": 1 / len(frames),
        "jump": float(steps.max() / max(float(np.median(steps)), 1e-9)),
        "turn": float(turns_of(model).max()),
        "unusual": float(abs(np.log(model.intrinsics[0, 0] / (USUAL_FOCAL * FRAME_WIDTH)))),
    }


def _point_signs(model: SparseModel) -> dict[str, float]:
    """Signs of the model's points, halves and lens.

    unseen: 1 over the fewest observations of a camera. shallow: 1 over the median angle under which points are seen,
    degrees. half_turn, half_focal: how far the halves of the clip disagree when each is adjusted alone, degrees and ln.
    vague: standard deviation of ln(focal length) as the clip tells it, infinite where another explains as much; nan
    where it tells none. uneven: ln ratio of the longest to the shortest focal length that frames ask for and do not
    get, as those of a wrong model do; 0 where that explains no more than noise would.
    """
    frames = np.flatnonzero(model.registered)
    seen = np.bincount(model.observed_frame, minlength=len(model.registered))[frames]
    first, second = model.halves_focal
    fit = LensFit.of_array(model.lens_fit)
    uneven = model.zoom_asked.max() / model.zoom_asked.min() if model.asks_for_zoom else 1.0
    return {
        "shallow": float(1 / max(float(np.median(model.triangulation_angles())), 1e-6)),
        "unseen": float(1 / max(int(seen.min()), 1)),
        "half_turn": float(np.nanmax(np.append(model.halves_rotation, 0))),
        "half_focal": float(abs(np.log(first / second))),
        "uneven": float(np.log(uneven)),
        "vague": fit.deviation if fit.focal > 0 else float("nan"),
    }


def turns_of(model: SparseModel) -> Float64s:
    """Return by how much the camera turns from each registered frame to the next, degrees a frame of the clip."""
    frames = np.flatnonzero(model.registered)
    rotations = model.camera_to_world[frames, :3, :3]
    traces = [np.trace(before.T @ after) for before, after in pairwise(rotations)]
    return np.asarray(np.degrees(np.arccos(np.clip((np.array(traces) - 1) / 2, -1, 1))) / np.diff(frames))


def median_turn(model: SparseModel) -> float:
    """Return the median of ``turns_of``; nan where there are none."""
    turns = turns_of(model)
    return float(np.median(turns)) if len(turns) else float("nan")


def match_signs(model: SparseModel, matches: Sequence[MatchedPair]) -> Signs:
    """Return what verified matches say, also those that mapping did not use.

    contradicted: share of pairs most of whose matches lie off the model's epipolar lines. epipolar: 90th percentile
    over pairs of the median distance from them, pixels. rim: that distance at the rim over the one in the middle, as
    where a lens bends more than the model knows.
    """
    pairs = [pair for pair in matches if model.registered[pair.first] and model.registered[pair.second]]
    if not pairs:
        return {}
    distances = [epipolar_distance(model, pair) for pair in pairs]
    radii = [_radius(pair.pixels) for pair in pairs]
    distance, radius = np.concatenate(distances), np.concatenate(radii)
    rim, middle = distance[radius > RIM * radius.max()], distance[radius < MIDDLE * radius.max()]
    enough = min(len(rim), len(middle)) >= 50
    return {
        "contradicted": float(np.mean([np.mean(found < NEAR_PX) < 0.5 for found in distances])),
        "epipolar": float(np.percentile([np.median(found) for found in distances], 90)),
        "rim": float(np.mean(np.minimum(rim, 8)) / np.mean(np.minimum(middle, 8))) if enough else float("nan"),
    }


def apart(model: SparseModel, other: SparseModel) -> float:
    """Return how far a model of other input (focal length to start from, frames, features) disagrees, degrees.

    The 90th percentile of the angle between relative rotations, or half of the median angle between directions of
    movement, whichever is more; nan where the two do not share most of their frames, and where the other one failed:
    models that differ by a few degrees say that the clip does not tell, one that differs by tens is itself wrong.
    """
    shared, either = model.registered & other.registered, model.registered | other.registered
    if shared.sum() < max(2, MOST * either.sum()):
        return float("nan")
    errors = pose_errors(model.camera_to_world[shared], other.camera_to_world[shared])
    found = float(max(np.percentile(errors.rotation, 90), np.median(errors.translation_direction) / 2))
    return found if found < FAILED else float("nan")


def compared(model: SparseModel, others: Sequence[SparseModel]) -> SparseModel:
    """Return the model with the sign ``apart``: how far that of ``others`` disagrees which agrees best."""
    told = [model.signs.get("apart", float("nan")), *(apart(model, other) for other in others)]
    return replace(model, signs={**model.signs, "apart": float(np.fmin.reduce(told))})


def epipolar_distance(model: SparseModel, pair: MatchedPair) -> Float64s:
    """Return the distance (m,) of matched pixels from the epipolar lines of the model's cameras, mean of both ways."""
    intrinsics = model.frame_intrinsics()
    relative = np.linalg.inv(model.camera_to_world[pair.second]) @ model.camera_to_world[pair.first]
    x, y, z = relative[:3, 3] / max(float(np.linalg.norm(relative[:3, 3])), 1e-12)
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ relative[:3, :3]
    inverse, inverse_second = np.linalg.inv(intrinsics[pair.first]), np.linalg.inv(intrinsics[pair.second])
    fundamental = inverse_second.T @ essential @ inverse
    return distance_from_lines(fundamental, pair.pixels, pair.pixels_second)


def _radius(pixels: Float64s) -> Float64s:
    """Return the distance (m,) of pixels from the picture's centre, pixels."""
    return np.asarray(np.linalg.norm(pixels - (FRAME_WIDTH / 2, FRAME_HEIGHT / 2), axis=1))
