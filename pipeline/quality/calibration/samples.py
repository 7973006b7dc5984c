"""One reconstructed clip as a sample to learn from: its signs, and how far from the truth it is."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from pipeline.contract.arrays import Float64s, Floats
from pipeline.contract.errors import ClipError
from pipeline.geometry.poses import depth_errors, pose_errors, resize_nearest
from pipeline.quality.calibration.filmed import KnownClip
from pipeline.quality.scores import RIGHT_DEGREES, RIGHT_DEPTH
from pipeline.stages.reconstruction.colmap.backend import find_cameras
from pipeline.stages.reconstruction.colmap.dense import dense_depth
from pipeline.stages.reconstruction.colmap.evidence import signs_of
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.surfaces import dense_signs
from pipeline.stages.reconstruction.colmap.trust import check_cameras
from pipeline.stages.reconstruction.colmap.views import views_of

GROSS_ROTATION, GROSS_DIRECTION = 5.0, 15.0
"""Medians in degrees from which on a clip is grossly wrong."""


class JudgedClip(BaseModel):
    """A reconstruction and its truth.

    group: clips that may resemble each other (a house, a film); kind: how it was filmed or spoilt. refused: the error
    of a check that it failed, empty where it passed all. places: how many places its frames come from. Errors in
    degrees over pairs of frames; depth nan where nothing is known of it.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    group: str
    kind: str
    refused: str
    frames: int
    registered: int
    places: int
    rotation: float
    rotation_most: float
    direction: float
    depth: float
    signs: dict[str, float]

    @property
    def right(self) -> bool:
        """Whether cameras and depth are right."""
        poses = self.rotation_most <= RIGHT_DEGREES and self.direction <= RIGHT_DEGREES
        return self.places == 1 and poses and not self.depth > RIGHT_DEPTH

    @property
    def gross(self) -> bool:
        """Whether it is so wrong that nothing of it is of use."""
        return self.places > 1 or self.rotation >= GROSS_ROTATION or self.direction >= GROSS_DIRECTION


def sample_of(clip: KnownClip, group: str, kind: str, settings: ColmapSettings) -> JudgedClip | None:
    """Reconstruct a clip, whatever the checks say of it; None where there is nothing of which to say it is right."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            model = find_cameras(clip.rgb, Path(scratch), settings.without_lens())
        except ClipError:
            return None
    if model.registered.sum() < settings.trust.min_frames:
        return None
    views = views_of(clip.rgb, model, settings.sweep)
    depth, _ = dense_depth(views, settings)
    return JudgedClip(
        group=group,
        kind=kind,
        refused=_refusal(model, settings),
        frames=len(clip.rgb),
        registered=int(model.registered.sum()),
        places=len(np.unique(clip.place[model.registered])),
        **errors_of(
            model.camera_to_world[model.registered],
            views.with_sides(depth),
            clip.camera_to_world[model.registered],
            clip.depth[model.registered],
        ),
        signs={**signs_of(model), **dense_signs(views, depth)},
    )


def stored(path: Path) -> Iterator[JudgedClip]:
    """Yield the samples of a file with one a line; none where there is no file."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        yield JudgedClip.model_validate_json(line)


def _refusal(model: SparseModel, settings: ColmapSettings) -> str:
    try:
        check_cameras(model, settings.trust)
    except ClipError as error:
        return error.code
    return ""


def errors_of(cameras: Float64s, depth: Floats, true_cameras: Float64s, true_depth: Floats) -> dict[str, float]:
    """Return the errors of a ``JudgedClip``.

    cameras, true_cameras (r, 4, 4), depth (r, h, w), true_depth (r, hh, ww), 0 = not known: of frames with a camera.
    """
    errors = pose_errors(cameras, true_cameras)
    first, second = np.triu_indices(len(true_cameras), 1)
    baseline = np.linalg.norm(true_cameras[first, :3, 3] - true_cameras[second, :3, 3], axis=1)
    apart = baseline > 0.25 * np.median(baseline)
    direction = errors.translation_direction[apart]
    maps = depth_errors(depth, resize_nearest(true_depth, depth.shape[1:]))
    return {
        "rotation": float(np.median(errors.rotation)),
        "rotation_most": float(np.percentile(errors.rotation, 90)),
        "direction": float(np.median(direction)) if len(direction) else 180.0,
        "depth": maps.absolute_relative,
    }
