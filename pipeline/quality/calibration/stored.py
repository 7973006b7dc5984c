"""Every model that the backend judges while it reconstructs the tours of a data folder again, with its truth.

Unlike clips that are filmed for this, these come as the stage ``reconstruction`` meets them: cut from a video, with
frames between theirs, and with what the other clips of the video say of the lens.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.errors import StageMissing
from pipeline.contract.progress import Progress, silent
from pipeline.contract.records import Clip, Reconstruction
from pipeline.geometry.distortion import Distortion
from pipeline.quality.calibration.samples import JudgedClip, errors_of
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.between import SourceFrames
from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor
from pipeline.stages.reconstruction.colmap.evidence import Signs
from pipeline.stages.reconstruction.colmap.probability import Likelihood
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.first_look import Ballot, FirstLook
from pipeline.stages.reconstruction.passes import Passes, StraightFrames
from pipeline.store.rows import clip_rows, stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of, true_clip

HARD = "hard"
EASY = "easy"
"""Kinds of these samples: the world that the tour was filmed in."""


@dataclass(frozen=True)
class _Seen:
    """The clip that is looked at, and the lens that its pictures were straightened by."""

    clip: Clip
    lens: Distortion


class Watched(ColmapReconstructor):
    """The backend as it is, which notes every model that it judges, whatever becomes of it."""

    def __init__(self, settings: ColmapSettings, video: VideoStore, tour: Tour) -> None:
        super().__init__(settings)
        self.samples: list[JudgedClip] = []
        self._group, self._tour = f"tour-{tour.seed}", tour
        self._kind = EASY if tour.filming is None else HARD
        self._clips = {clip.clip_id: clip for clip in stored_clips(video)}
        self._seen: _Seen | None = None

    def first_look(self, rgb: Images, scratch: Path, between: FramesBetween | None) -> FirstLook:
        """Look as the backend does."""
        self._note(between)
        return super().first_look(rgb, scratch, between)

    def reconstruct_walk(self, rgb: Images, scratch: Path, between: FramesBetween | None) -> Reconstruction:
        """Reconstruct as the backend does."""
        self._note(between)
        return super().reconstruct_walk(rgb, scratch, between)

    def reconstruct_known(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, known: Ballot
    ) -> Reconstruction:
        """Reconstruct as the backend does."""
        self._note(between)
        return super().reconstruct_known(rgb, scratch, between, known)

    def verdict(self, model: SparseModel, depth: Floats, signs: Signs) -> Likelihood:
        """Judge as the backend does, and keep the sample."""
        if self._seen is not None:
            self.samples.append(self._sample(self._seen, model, depth, signs))
        return super().verdict(model, depth, signs)

    def _note(self, between: FramesBetween | None) -> None:
        self._seen = None
        if isinstance(between, StraightFrames) and isinstance(between.frames, SourceFrames):
            self._seen = _Seen(self._clips[between.frames.clip_id], between.lens)

    def _sample(self, seen: _Seen, model: SparseModel, depth: Floats, signs: Signs) -> JudgedClip:
        truth = true_clip(self._tour, seen.clip.frame_index[model.registered], seen.clip.box)
        cameras = truth.scene.camera_to_world.astype(np.float64)
        return JudgedClip(
            group=self._group,
            kind=self._kind,
            refused="",
            frames=len(model.registered),
            registered=int(model.registered.sum()),
            places=len(np.unique(truth.shot_id)),
            **errors_of(model, depth, cameras, seen.lens.straightened_maps(truth.depth_of_room)),
            signs=dict(signs),
        )


def collect_stored(
    data: Path, folder: Path, settings: ColmapSettings, progress: Progress = silent
) -> Iterator[JudgedClip]:
    """Yield the samples of all tours that a data folder holds; each is made once and kept in ``folder``."""
    store = Store(str(data))
    names = store.video_ids()
    for done, name in enumerate(names):
        progress("calibration", done, len(names), name)
        kept = folder / "tours" / f"{name}.jsonl"
        if not kept.exists():
            samples = _samples_of(store, store.video(name), settings)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text("".join(f"{sample.model_dump_json()}\n" for sample in samples), encoding="utf-8")
        yield from (JudgedClip.model_validate_json(line) for line in kept.read_text(encoding="utf-8").splitlines())


def _samples_of(store: Store, video: VideoStore, settings: ColmapSettings) -> list[JudgedClip]:
    """Return what comes of one video; nothing where it is no tour, or none of its clips is indoors."""
    tour = tour_of(video)
    try:
        clips = clip_rows(video)
    except StageMissing:
        return []
    if tour is None:
        return []
    backend = Watched(settings, video, tour)
    with tempfile.TemporaryDirectory() as folder:
        Passes(Workbench(video, Catalog(store), Settings()), backend, clips, Path(folder)).run()
    return backend.samples
