"""What a reconstruction must pass before anything is built on it; each refusal says what was measured."""

import numpy as np

from pipeline.contract.errors import ClipError, InconsistentReconstruction, TooFewRegistered, TooLittleParallax
from pipeline.contract.records import FRAME_WIDTH
from pipeline.stages.reconstruction.colmap.evidence import signs_of
from pipeline.stages.reconstruction.colmap.settings import SignBounds, TrustSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel


def check_cameras(model: SparseModel, settings: TrustSettings) -> None:
    """Refuse cameras that cannot be right.

    Raises:
        TooLittleParallax: the camera stood still or only turned.
        TooFewRegistered: too few frames found their camera.
        InconsistentReconstruction: focal length out of range, halves that disagree, points behind cameras, or
            signs of pieces that were joined wrongly.
    """
    _check_registered(model, settings)
    _check_angles(model, settings)
    _check_focal(model, settings)
    _check_halves(model, settings)
    _check_behind(model, settings)
    _check_signs(model, settings.signs)


def is_trusted(model: SparseModel, settings: TrustSettings) -> bool:
    """Tell whether ``check_cameras`` lets the model pass."""
    try:
        check_cameras(model, settings)
    except ClipError:
        return False
    return True


def least_probability(model: SparseModel, settings: TrustSettings) -> float:
    """Return the probability of being right below which cameras are not believed; 0: whatever it is."""
    zooms = bool(np.any(model.zoom[model.registered] != 1))
    return max(settings.min_probability, settings.min_probability_zoomed if zooms and settings.min_probability else 0)


def _check_registered(model: SparseModel, settings: TrustSettings) -> None:
    if model.parallax < settings.min_parallax:
        message = f"matches move {model.parallax:.1f} px beyond a turn of the camera, {settings.min_parallax} px needed"
        raise TooLittleParallax(message)
    count = int(model.registered.sum())
    if count < settings.min_frames:
        message = f"{count} of {len(model.registered)} frames found their camera, {settings.min_frames} needed"
        raise TooFewRegistered(message)


def _check_angles(model: SparseModel, settings: TrustSettings) -> None:
    angle = float(np.median(model.triangulation_angles()))
    if angle < settings.min_angle:
        message = f"points are seen under {angle:.2f} degrees (median), {settings.min_angle} needed"
        raise TooLittleParallax(message)


def _check_focal(model: SparseModel, settings: TrustSettings) -> None:
    low, high = settings.focal_range
    widths = model.intrinsics[0, 0] / FRAME_WIDTH
    if not low <= widths <= high:
        message = f"focal length of {widths:.2f} picture widths, believable are {low} to {high}"
        raise InconsistentReconstruction(message)


def _check_halves(model: SparseModel, settings: TrustSettings) -> None:
    turn = np.nanmax(np.append(model.halves_rotation, 0))
    if turn > settings.max_rotation_disagreement:
        message = f"a half of the clip alone turns its cameras by {turn:.1f} degrees"
        raise InconsistentReconstruction(message)


def _check_behind(model: SparseModel, settings: TrustSettings) -> None:
    behind = float(np.mean(model.depths() <= 0))
    if behind > settings.max_behind:
        message = f"{behind:.0%} of the points lie behind a camera that sees them"
        raise InconsistentReconstruction(message)


def _check_signs(model: SparseModel, bounds: SignBounds) -> None:
    """Refuse what looks like rigid pieces joined wrongly; what cannot be told is no reason to refuse."""
    signs, fewest = signs_of(model), bounds.min_observations
    jump = bounds.max_agreed_jump if signs["apart"] <= bounds.max_apart else bounds.max_jump
    refused = (
        (signs["epipolar"] > bounds.max_epipolar, f"matches lie {signs['epipolar']:.1f} px from where cameras say"),
        (signs["contradicted"] > bounds.max_contradicted, f"{signs['contradicted']:.0%} of the pairs contradict it"),
        (signs["unseen"] * fewest > 1, f"a camera sees {1 / signs['unseen']:.0f} points, {fewest} needed"),
        (signs["jump"] > jump, f"a step is {signs['jump']:.1f} times the median step, and no other model agrees"),
    )
    for is_wrong, message in refused:
        if is_wrong:
            raise InconsistentReconstruction(message)
