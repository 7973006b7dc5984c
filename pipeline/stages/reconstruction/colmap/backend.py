"""Backend ``colmap``: cameras by structure from motion, depth by dense matching; any textured video."""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from models.weights.registry import XFEAT_SHA256
from models.xfeat import WEIGHTS
from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.errors import ClipError, ProcessKilled, ReconstructionCrashed, TooFewRegistered
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Reconstruction
from pipeline.stages.faults import is_of_the_machine
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.colmap.dense import DenseMaps, dense_depth, without_lone_values
from pipeline.stages.reconstruction.colmap.evidence import Signs, signs_of
from pipeline.stages.reconstruction.colmap.hinge import tied
from pipeline.stages.reconstruction.colmap.lines import lens_of_lines
from pipeline.stages.reconstruction.colmap.notes import notes_on
from pipeline.stages.reconstruction.colmap.overlays import overlays
from pipeline.stages.reconstruction.colmap.probability import Likelihood, check_probability, judged, settings_note
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.shutter import may_roll, with_readout
from pipeline.stages.reconstruction.colmap.sparse_model import MASKS, SparseModel
from pipeline.stages.reconstruction.colmap.surfaces import dense_signs
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES, Task
from pipeline.stages.reconstruction.colmap.trust import check_cameras, is_trusted, least_probability
from pipeline.stages.reconstruction.colmap.views import ClipViews, views_of
from pipeline.stages.reconstruction.colmap.votes import elected
from pipeline.stages.reconstruction.colmap.walk import best, check_extra, is_enough, is_sure, rungs
from pipeline.stages.reconstruction.first_look import (
    NO_LINES,
    Ballot,
    FirstLook,
    FoundCameras,
    LensFit,
    LensOfLines,
)

CODE = Path(__file__).parents[4]
"""Folder that holds the package, for the process of its own."""


PATIENCE, LEAST_PATIENCE_S = 20.0, 600.0
"""Seconds by the clock for every second of processor time that it may take, and at least, until it stands still."""

BESIDE_SIDES = 8
"""Columns beside a black side in which no feature is looked for: half of what a descriptor of fine features sees."""

NO_STEP = 1e9
"""No two focal lengths differ by so much."""

ENDED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ColmapReconstructor:
    """Structure from motion (COLMAP, in a process of its own), then dense matching."""

    name = "colmap"

    def __init__(self, settings: ColmapSettings | None = None) -> None:
        self.settings = settings or ColmapSettings()

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of XFeat's file where it is asked for; nothing else has weights."""
        return {Path(WEIGHTS).name: XFEAT_SHA256} if self.settings.walks.xfeat else {}

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        """Reconstruct frames (n, 480, 640, 3) uint8 RGB; ``scratch`` is an empty folder for temporary files.

        Raises as ``reconstruct_walk``.
        """
        return self.reconstruct_walk(rgb, scratch, None)

    def reconstruct_walk(self, rgb: Images, scratch: Path, between: FramesBetween | None) -> Reconstruction:
        """Reconstruct frames as ``reconstruct``; ``between`` finds frames between them where they are needed.

        Raises:
            ValueError: the frames have another shape or type.
            TooFewRegistered, TooLittleParallax, InconsistentReconstruction: the clip cannot be trusted.
            UnlikelyReconstruction: its signs together say that it is probably wrong.
            ReconstructionCrashed: COLMAP ended without a result.
            MissingExtra: XFeat is asked for and not installed.
        """
        self.check(rgb)
        return self._of_rungs(rgb, rungs(find_cameras, rgb, scratch, self.settings.without_lens(), between))

    def reconstruct_known(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, known: Ballot, draw: int = 0
    ) -> Reconstruction:
        """Do the same with what the clips of the video say together of its camera, whatever this clip says.

        draw: another number draws other samples.
        """
        self.check(rgb)
        focal = known.focal / FRAME_WIDTH if known.focal else None
        settings = self.settings.drawn(draw).without_lens(NO_STEP if known.square else None, focal)
        return self._of_rungs(rgb, rungs(find_cameras, rgb, scratch, settings, between))

    @property
    def asks_for_motion(self) -> bool:
        """Whether shutters that roll are looked for."""
        return self.settings.lens.correct and self.settings.lens.rolling_shutter

    def first_look(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, rates: Float64s | None = None
    ) -> FirstLook:
        """Do the same and say what the clip tells of its lens; where it bends, or the shutter rolls, no depth is found.

        Of cameras that are surely right depth is left for ``go_on``: the clips of the video may agree on others.
        Of cameras that are refused the shutter may still be believed, whose readout they explain, and nothing else.
        rates: (n, 9), how fast each frame moves, as ``geometry.picture_motion`` says.

        Raises:
            as ``reconstruct_walk``, but for clips that cannot be trusted: their error is the result.
        """
        self.check(rgb)
        climb = rungs(find_cameras, rgb, scratch, self.settings, between)
        first = next(climb)
        fit = LensFit.of_array(first.lens_fit)
        if fit.lens.bends:
            return FirstLook(fit, None)
        fit = fit if rates is None else with_readout(fit, first, rates)
        if is_sure(first, self.settings):
            return FirstLook(fit, None, first.as_arrays())
        if may_roll(fit, self.settings.lens):
            return FirstLook(fit, None)
        try:
            return FirstLook(fit, self._of_rungs(rgb, chain([first], climb)))
        except ClipError as error:
            return FirstLook(fit.of_shutter_alone(), error)

    def go_on(self, rgb: Images, scratch: Path, between: FramesBetween | None, cameras: FoundCameras) -> Reconstruction:
        """Reconstruct from the cameras that the first look left; raises as ``reconstruct_walk``."""
        first = SparseModel.of_arrays(cameras)
        return self._of_rungs(rgb, rungs(find_cameras, rgb, scratch, self.settings, between, first))

    def lens_of_lines(self, clips: Iterable[Images]) -> LensOfLines:
        """Return the lens that edges in the clips of a video tell of, if lenses are looked for."""
        lens = self.settings.lens
        return lens_of_lines(clips, lens) if lens.correct else NO_LINES

    def vote(self, fits: Sequence[LensFit], known: float = math.inf) -> Ballot:
        """Return the lens of a video whose clips say so. known: deviation of the bend that lines told before."""
        return elected(fits, self.settings.sparse.aspect_step, self.settings.lens, known)

    def check(self, rgb: Images) -> None:
        """Make sure that frames can be worked on.

        Raises:
            ValueError: they have another shape or type.
            TooFewRegistered: they are fewer than are needed.
            MissingExtra: XFeat is asked for and not installed.
        """
        if rgb.dtype != np.uint8 or rgb.shape[1:] != (FRAME_HEIGHT, FRAME_WIDTH, 3):
            message = f"need frames (n, {FRAME_HEIGHT}, {FRAME_WIDTH}, 3) uint8, not {rgb.shape} {rgb.dtype}"
            raise ValueError(message)
        if len(rgb) < self.settings.trust.min_frames:
            message = f"a clip of {len(rgb)} frames, {self.settings.trust.min_frames} needed"
            raise TooFewRegistered(message)
        check_extra(self.settings.walks)

    def _of_rungs(self, rgb: Images, climb: Iterable[SparseModel]) -> Reconstruction:
        """Return what the first rung that is enough gives with depth, or else the best piece that any found."""
        pieces: list[SparseModel] = []
        refused: ClipError | None = None
        for found in climb:
            if is_enough(found, self.settings):
                try:
                    return self.with_depth(rgb, found)
                except ClipError as error:
                    refused = error
            else:
                pieces.append(found)
        if refused and not any(is_trusted(piece, self.settings.trust) for piece in pieces):
            raise refused
        return self.with_depth(rgb, best(pieces, self.settings))

    def with_depth(self, rgb: Images, found: SparseModel) -> Reconstruction:
        """Return cameras with dense depth; raises as ``reconstruct_walk`` where they cannot be trusted."""
        return self.measured(rgb, found).found

    def measured(self, rgb: Images, found: SparseModel) -> "MatchedClip":
        """Return the same with what it was made of."""
        model, left_out = tied(found, self.settings.trust.max_size_deviation)
        check_cameras(model, self.settings.trust)
        views = views_of(rgb, model, self.settings.sweep)
        maps = dense_depth(views, self.settings)
        signs = {**signs_of(model), **dense_signs(views, maps.depth)}
        maps = without_lone_values(maps, self.settings.sweep)
        depth, confidence = views.with_sides(maps.depth), views.with_sides(maps.confidence)
        verdict = self.verdict(model, depth, signs)
        check_probability(verdict, least_probability(model, self.settings.trust))
        reconstruction = Reconstruction(
            intrinsics=(model.registered[:, None, None] * model.frame_intrinsics()).astype(np.float32),
            camera_to_world=model.camera_to_world.astype(np.float32),
            depth=spread(depth, model),
            confidence=spread(confidence, model),
            registered=model.registered,
            notes=notes_on(model) + left_out + (verdict.note(), *settings_note(self.settings)),
            probability_right=verdict.probability,
        )
        return MatchedClip(model, views, maps, reconstruction)

    def verdict(self, model: SparseModel, depth: Floats, signs: Signs) -> Likelihood:
        """Return what is thought of a model, depth (r, h, w) of its registered frames, and the signs of both."""
        del model, depth
        return judged(signs)


class MatchedClip(NamedTuple):
    """Cameras, the pictures of registered frames, their depth by matching, and all of it as a reconstruction."""

    model: SparseModel
    views: ClipViews
    maps: DenseMaps
    found: Reconstruction


def find_cameras(rgb: Images, scratch: Path, settings: ColmapSettings, task: Task = OWN_FRAMES) -> SparseModel:
    """Run structure from motion on ``rgb`` in a process of its own.

    Raises:
        ReconstructionCrashed: the process died, or worked longer than ``settings.sparse.timeout_s``.
        ProcessKilled: somebody ended it, or it stood still.
        MemoryError, OSError: the machine had no room for it.
    """
    run_alone("pipeline.stages.reconstruction.colmap.sparse", rgb, scratch, settings, task)
    return SparseModel.load(scratch / "sparse.npz")


def run_alone(module: str, rgb: Images, scratch: Path, settings: ColmapSettings, task: Task) -> None:
    """Run a module on what it finds in ``scratch``, in a process of its own; raises as ``find_cameras``."""
    (scratch / "frames").mkdir(parents=True)
    for index, frame in enumerate(rgb):
        cv2.imwrite(str(scratch / "frames" / f"{index:06d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    _mask_what_is_no_room(rgb, scratch / MASKS)
    (scratch / "settings.json").write_text(settings.model_dump_json())
    (scratch / "task.json").write_text(task.model_dump_json())
    environment = os.environ | {"PYTHONPATH": str(CODE)}
    try:
        process = subprocess.run(  # noqa: S603 - our own module, no input in the command
            [sys.executable, "-m", module, str(scratch)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=max(LEAST_PATIENCE_S, PATIENCE * settings.sparse.timeout_s),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProcessKilled(f"structure from motion stood still for {error.timeout:.0f} s") from error
    check_end(process.returncode, process.stderr, settings)


def _mask_what_is_no_room(rgb: Images, folder: Path) -> None:
    """Write a mask for each frame where there are black columns beside the film, or letters over it: no features."""
    columns, laid_over = shown_columns(rgb), overlays(rgb)
    if columns == slice(0, rgb.shape[2]) and not laid_over.any():
        return
    shown = np.full(rgb.shape[2], columns == slice(0, rgb.shape[2]))
    shown[columns.start + BESIDE_SIDES : columns.stop - BESIDE_SIDES] = True
    folder.mkdir()
    for index, over in enumerate(laid_over):
        cv2.imwrite(str(folder / f"{index:06d}.png.png"), np.where(shown & ~over, 255, 0).astype(np.uint8))


def check_end(status: int, stderr: bytes, settings: ColmapSettings) -> None:
    """Raise what the process of structure from motion ended with: the clip's fault, or the machine's."""
    last_words = stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
    message = f"structure from motion ended with status {status}: {last_words}"
    if -status in ENDED_BY_OTHERS:
        raise ProcessKilled(f"structure from motion was ended by {signal.Signals(-status).name}")
    if status == -signal.SIGXCPU:
        worked = f"structure from motion took more than {settings.sparse.timeout_s:.0f} s of processor time"
        raise ReconstructionCrashed(worked)
    if status == os.EX_IOERR:
        raise OSError(message)
    if status == os.EX_TEMPFAIL or (status != 0 and is_of_the_machine(last_words)):
        raise MemoryError(message)
    if status != 0:
        raise ReconstructionCrashed(message)


def spread(maps: Floats, model: SparseModel) -> Floats:
    """Give maps (r, h, w) of the registered frames their place among all frames: (n, h, w), zeros elsewhere."""
    placed = np.zeros((len(model.registered), *maps.shape[1:]), np.float32)
    placed[model.registered] = maps
    return placed
