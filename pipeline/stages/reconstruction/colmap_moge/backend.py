"""Structure from motion and dense matching, filled with what MoGe-2 sees where pictures do not tell.

Cameras are those of ``colmap``, which may start from MoGe-2's focal length as well. Where they are not found, Depth
Anything 3 is asked if the settings say how.
"""

import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.errors import (
    ClipError,
    ReconstructionCrashed,
    SettingsError,
    TooFewRegistered,
    TooLittleParallax,
)
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, DepthSource, Reconstruction
from pipeline.geometry.poses import resize_nearest
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor, MatchedClip, spread
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap_moge.settings import ColmapMogeSettings
from pipeline.stages.reconstruction.da3.backend import Da3Reconstructor
from pipeline.stages.reconstruction.da3.settings import Da3Settings
from pipeline.stages.reconstruction.first_look import (
    Ballot,
    FirstLook,
    FoundCameras,
    LensFit,
    LensOfLines,
)
from pipeline.stages.reconstruction.fusion import Fused, Sight, fuse
from pipeline.stages.reconstruction.looks import MODEL_FILES, ClipLooks, NetworkLook
from pipeline.stages.reconstruction.metres import GivenDepth, Metres, of_another_network, with_metres
from pipeline.stages.reconstruction.metric_evidence import MOST_FRAMES
from pipeline.stages.reconstruction.recorded import recorded_weights, together

NO_CAMERAS = frozenset(error.__name__ for error in (TooFewRegistered, TooLittleParallax, ReconstructionCrashed))
"""Codes of errors of clips that a network is asked for. Others tell that the clip itself is not to be trusted: its lens
zooms, or its frames contradict each other; cameras of a network would come without a number that says so."""

LookAt = Callable[[NDArray[np.int64]], NetworkLook]

NEW_PRIOR = 0.05
"""ln ratio of two focal lengths below which to start from both would tell nothing new."""


class ColmapMogeReconstructor:
    """``colmap`` with sight: MoGe-2's depth where matching gives none, and every pixel says whose it is."""

    name = "colmap_moge"

    def __init__(self, settings: ColmapMogeSettings) -> None:
        self.settings = settings
        self._looks = ClipLooks(settings)
        self._otherwise = None if settings.da3_weights is None else Da3Reconstructor(_of_da3(settings))

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the files of weights; fetches them if need be.

        Raises:
            SettingsError: there are no such weights.
            WeightsAway: no server gives them at the moment.
        """
        other = {} if self._otherwise is None else self._otherwise.weights
        own = recorded_weights(self.settings.weights, MODEL_FILES)
        return together(ColmapReconstructor(self.settings.colmap).weights, own, other)

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        """Reconstruct frames (n, 480, 640, 3) uint8 RGB; ``scratch`` is an empty folder for temporary files.

        Where matching finds no cameras, Depth Anything 3 is asked at once.

        Raises as ``reconstruct_walk`` and ``last_resort``.
        """
        try:
            return self.reconstruct_walk(rgb, scratch, None)
        except ClipError as error:
            if not self.may_help([error.code]):
                raise
            refused = f"{error.code}: {error}"
        return self.last_resort(rgb, Path(tempfile.mkdtemp(dir=scratch)), refused)

    def reconstruct_walk(self, rgb: Images, scratch: Path, between: FramesBetween | None) -> Reconstruction:
        """Reconstruct frames as ``reconstruct``; ``between`` finds frames between them where they are needed.

        Raises:
            ClipError: as ``ColmapReconstructor``.
            SettingsError: the weights are unknown, damaged or another network's, or the device's memory is too small.
            WeightsAway: no server gives the weights at the moment.
        """
        return self._sighted(rgb).reconstruct_walk(rgb, scratch, between)

    @property
    def asks_for_motion(self) -> bool:
        """Whether shutters that roll are looked for."""
        return ColmapReconstructor(self.settings.colmap).asks_for_motion

    def first_look(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, rates: Float64s | None = None
    ) -> FirstLook:
        """Do the same and say what the clip tells of its lens; where it bends, or the shutter rolls, no depth is found.

        Depth is never left for later: the network's look at the clip would have to be kept, or done again.

        Raises:
            as ``reconstruct_walk``.
        """
        sighted = self._sighted(rgb)
        found = sighted.first_look(rgb, scratch, between, rates)
        if found.cameras is None:
            return found
        return FirstLook(found.fit, sighted.go_on(rgb, scratch, between, found.cameras))

    def go_on(self, rgb: Images, scratch: Path, between: FramesBetween | None, cameras: FoundCameras) -> Reconstruction:
        """Reconstruct from cameras that were found before."""
        return self._sighted(rgb).go_on(rgb, scratch, between, cameras)

    def lens_of_lines(self, clips: Iterable[Images]) -> LensOfLines:
        """Return the lens that edges in the clips of a video tell of, if lenses are looked for."""
        return ColmapReconstructor(self.settings.colmap).lens_of_lines(clips)

    def vote(self, fits: Sequence[LensFit], known: float = math.inf) -> Ballot:
        """Return the lens of a video whose clips say so; known: as ``ColmapReconstructor`` says."""
        return ColmapReconstructor(self.settings.colmap).vote(fits, known)

    def reconstruct_known(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, known: Ballot, draw: int = 0
    ) -> Reconstruction:
        """Reconstruct with what the clips of the video say together of its camera."""
        return self._sighted(rgb).reconstruct_known(rgb, scratch, between, known, draw)

    def may_help(self, refusals: Iterable[str]) -> bool:
        """Tell whether Depth Anything 3 may be asked: the settings name it, and no error told of the clip itself."""
        return self._otherwise is not None and set(refusals) <= NO_CAMERAS

    def last_resort(self, rgb: Images, scratch: Path, refused: str) -> Reconstruction:
        """Return cameras and depth of Depth Anything 3, at the size of the other clips' maps, with MoGe-2's metres.

        refused: why matching found none.

        Raises:
            SettingsError: the settings name no Depth Anything 3; or as ``Da3Reconstructor``.
            ClipError, WeightsAway: as ``Da3Reconstructor``.
        """
        if self._otherwise is None:
            raise SettingsError("reconstruction.colmap_moge.da3_weights names no Depth Anything 3")
        found = self._otherwise.reconstruct(rgb, scratch)
        depth, confidence = (resize_nearest(part, _shape(self.settings.colmap)) for part in _maps(found))
        source = np.where(depth > 0, DepthSource.NETWORK, DepthSource.NONE).astype(np.uint8)
        note = f"Matching found no cameras ({refused}); they are Depth Anything 3's."
        notes = (note, *found.notes)
        whole = replace(found, depth=depth, confidence=confidence, depth_source=source, notes=notes)
        # all frames were looked at for the focal length; else those are asked that tell most of the scale
        most = len(rgb) if self.settings.focal_prior else MOST_FRAMES
        return of_another_network(whole, self._look_at(rgb), self.settings.fusion.max_beyond, most=most)

    def _look_at(self, rgb: Images) -> LookAt:
        """Return what asks the network of some frames (r,) of a clip."""
        return lambda frames: self._looks.of(rgb, _shape(self.settings.colmap), frames)

    def _sighted(self, rgb: Images) -> "Sighted":
        """Return what reconstructs this clip by matching; a network has looked at it where its lens is asked for."""
        colmap = self.settings.colmap
        ColmapReconstructor(colmap).check(rgb)
        look_at = self._look_at(rgb)
        prior = look_at(np.arange(len(rgb))).focal_prior() if self.settings.focal_prior else None
        return Sighted(with_prior(colmap, prior), self.settings, look_at)


class Sighted(ColmapReconstructor):
    """``colmap`` for one clip, whose frames with a camera a network looks at.

    look_at: asks the network of some frames (r,) of the clip.
    """

    name = "colmap_moge"

    def __init__(self, colmap: ColmapSettings, settings: ColmapMogeSettings, look_at: LookAt) -> None:
        super().__init__(colmap)
        self.fusion, self.look_at = settings.fusion, look_at

    def with_depth(self, rgb: Images, found: SparseModel) -> Reconstruction:
        """Return cameras with depth of both kinds; raises as ``colmap`` where they cannot be trusted."""
        return self.completed(self.measured(rgb, found))

    def completed(self, measured: MatchedClip) -> Reconstruction:
        """Fill what matching left empty, and say what metric depth tells of the scale."""
        frames = np.flatnonzero(measured.model.registered)
        focal = measured.model.frame_intrinsics()[frames, 0, 0] / FRAME_WIDTH
        seen, rows = self.look_at(frames), np.arange(len(frames))
        depth, solid = seen.seen_with(rows, focal)
        points = points_in(measured.model, frames, depth.shape[1:])
        views = measured.views
        depth, solid = views.without_sides(depth), views.without_sides(solid)
        points = views.without_sides(points)
        sight = Sight(depth, None if seen.normals is None else views.without_sides(seen.normals))
        fused = fuse(views, measured.maps, points, sight, self.fusion)
        source = views.with_sides(fused.maps.source).astype(np.float32)
        result = replace(
            measured.found,
            depth=spread(views.with_sides(fused.maps.depth), measured.model),
            confidence=spread(views.with_sides(fused.maps.confidence), measured.model),
            depth_source=spread(source, measured.model).astype(np.uint8),
            notes=(*measured.found.notes, fusion_note(fused)),
        )
        # by what matching alone has measured
        given = GivenDepth(rows, focal, views.camera_to_world, measured.maps.depth, measured.maps.confidence)
        facing = seen.facing(rows, focal)
        solid &= fused.foretells[:, None, None]
        metres = Metres(depth, solid, None if facing is None else views.without_sides(facing))
        return with_metres(result, seen, given, metres)


def with_prior(settings: ColmapSettings, prior: float | None) -> ColmapSettings:
    """Return the settings with one more focal length to start from, picture widths, if it is new."""
    known = (settings.sparse.focal_prior, settings.walks.second_prior, *settings.sparse.further_priors)
    if prior is None or min(abs(np.log(prior / other)) for other in known) <= NEW_PRIOR:
        return settings
    sparse = settings.sparse.model_copy(update={"further_priors": (*settings.sparse.further_priors, prior)})
    return settings.model_copy(update={"sparse": sparse})


def points_in(model: SparseModel, frames: NDArray[np.int64], shape: tuple[int, ...]) -> Floats:
    """Return maps (r, h, w) with the depth of triangulated points at the pixels where frames saw them, else 0."""
    maps = np.zeros((len(frames), *shape), np.float32)
    row = np.full(len(model.registered), -1)
    row[frames] = np.arange(len(frames))
    pose = model.camera_to_world[model.observed_frame]
    local = np.einsum("kji,kj->ki", pose[:, :3, :3], model.points[model.observed_point] - pose[:, :3, 3])
    place = np.einsum("kij,kj->ki", model.frame_intrinsics()[model.observed_frame], local)
    front = (local[:, 2] > 0) & (row[model.observed_frame] >= 0)
    pixel = place[front, :2] / local[front, 2:]
    at = np.floor(pixel * (shape[1] / FRAME_WIDTH, shape[0] / FRAME_HEIGHT)).astype(np.int64)
    inside = ((at >= 0) & (at < (shape[1], shape[0]))).all(axis=1)
    at, depth, view = at[inside], local[front, 2][inside], row[model.observed_frame[front]][inside]
    maps[view, at[:, 1], at[:, 0]] = depth
    return maps


def fusion_note(fused: Fused) -> str:
    """Say in a sentence how much of the depth is the network's, and how much is other frames'."""
    taken = [fit for fit in fused.fits if fit is not None]
    if not taken:
        return "The network's depth was taken in no frame: fitted to measured depth, it does not foretell it."
    share, carried = (float(np.mean(fused.maps.source == kind)) for kind in (DepthSource.NETWORK, DepthSource.CARRIED))
    off = float(np.median([fit.held_out for fit in taken]))
    return (
        f"The network's depth fills {share:.0%} of the pixels, and that of other frames {carried:.0%}, in {len(taken)} "
        f"of {len(fused.fits)} frames; measured pixels that its fit has not seen it foretells to {off:.1%}."
    )


def _of_da3(settings: ColmapMogeSettings) -> Da3Settings:
    shared = {"device": settings.device, "precision": settings.precision}
    return Da3Settings.model_validate({"weights": settings.da3_weights, **shared})


def _shape(settings: ColmapSettings) -> tuple[int, int]:
    return settings.sweep.width * 3 // 4, settings.sweep.width


def _maps(found: Reconstruction) -> tuple[Floats, Floats]:
    return found.depth, found.confidence
