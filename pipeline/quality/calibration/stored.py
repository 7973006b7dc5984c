"""Every model that the backend judges while it reconstructs the films of a data folder again, with its truth.

Unlike clips that are filmed for this, these come as the stage ``reconstruction`` meets them: cut from a video, with
frames between theirs, and with what the other clips of the video say of the lens.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.errors import StageMissing
from pipeline.contract.progress import Progress, silent
from pipeline.contract.records import Clip, Reconstruction
from pipeline.geometry.rolling_shutter import Rectification
from pipeline.quality.calibration.samples import JudgedClip, errors_of, stored
from pipeline.quality.rulers.suites import real_parts
from pipeline.quality.truth.film import TrueFilm
from pipeline.quality.truth.rendered import TourFilm
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor
from pipeline.stages.reconstruction.colmap.evidence import Signs
from pipeline.stages.reconstruction.colmap.probability import Likelihood
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.film import RectifiedFrames
from pipeline.stages.reconstruction.first_look import Ballot, FirstLook, FoundCameras
from pipeline.stages.reconstruction.passes import Passes
from pipeline.store.rows import clip_rows, stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.truth import tour_of

HARD = "hard"
EASY = "easy"
"""Kinds of samples of tours: the world that they were filmed in."""

REAL = "real"
"""Kind of samples that are judged, and never learned from."""


@dataclass(frozen=True)
class KnownFilm:
    """A film of a data folder with its truth; group and kind of its samples."""

    video: VideoStore
    truth: TrueFilm
    group: str
    kind: str


@dataclass(frozen=True)
class _Seen:
    """The clip that is looked at, and what its pictures were rectified by."""

    clip: Clip
    rectification: Rectification


class Watched(ColmapReconstructor):
    """The backend as it is, which notes every model that it judges, whatever becomes of it."""

    def __init__(self, settings: ColmapSettings, film: KnownFilm) -> None:
        super().__init__(settings)
        self.samples: list[JudgedClip] = []
        self._film = film
        self._clips = {clip.clip_id: clip for clip in stored_clips(film.video)}
        self._seen: _Seen | None = None

    def first_look(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, rates: Float64s | None = None
    ) -> FirstLook:
        """Look as the backend does."""
        self._note(between)
        return super().first_look(rgb, scratch, between, rates)

    def go_on(self, rgb: Images, scratch: Path, between: FramesBetween | None, cameras: FoundCameras) -> Reconstruction:
        """Go on as the backend does."""
        self._note(between)
        return super().go_on(rgb, scratch, between, cameras)

    def reconstruct_walk(self, rgb: Images, scratch: Path, between: FramesBetween | None) -> Reconstruction:
        """Reconstruct as the backend does."""
        self._note(between)
        return super().reconstruct_walk(rgb, scratch, between)

    def reconstruct_known(
        self, rgb: Images, scratch: Path, between: FramesBetween | None, known: Ballot, draw: int = 0
    ) -> Reconstruction:
        """Reconstruct as the backend does."""
        self._note(between)
        return super().reconstruct_known(rgb, scratch, between, known, draw)

    def verdict(self, model: SparseModel, depth: Floats, signs: Signs) -> Likelihood:
        """Judge as the backend does, and keep the sample."""
        if self._seen is not None:
            self.samples += self._sample(self._seen, model, depth, signs)
        return super().verdict(model, depth, signs)

    def _note(self, between: FramesBetween | None) -> None:
        self._seen = None
        if isinstance(between, RectifiedFrames):
            clip_id = between.frames.clip_id
            self._seen = _Seen(self._clips[clip_id], between.film.rectification(clip_id))

    def _sample(self, seen: _Seen, model: SparseModel, depth: Floats, signs: Signs) -> list[JudgedClip]:
        """Return the sample of a model; none where the truth of fewer than two of its frames is known."""
        film, index = self._film.truth, seen.clip.frame_index[model.registered]
        known = film.known(index)
        if known.sum() < 2:
            return []
        truth = film.clip(index[known], seen.clip.box)
        cameras = truth.scene.camera_to_world.astype(np.float64)
        told = seen.rectification.of_frames(np.flatnonzero(model.registered)[known])
        maps = told.rectified_maps(truth.depth_of_room)
        sample = JudgedClip(
            group=self._film.group,
            kind=self._film.kind,
            refused="",
            frames=len(model.registered),
            registered=int(model.registered.sum()),
            places=len(np.unique(truth.shot_id)),
            **errors_of(model.camera_to_world[model.registered][known], depth[known], cameras, maps),
            signs=dict(signs),
        )
        return [sample]


def collect_tours(
    data: Path, folder: Path, settings: ColmapSettings, progress: Progress = silent
) -> Iterator[JudgedClip]:
    """Yield the samples of all tours that a data folder holds; each is made once and kept in ``folder``."""
    store = Store(str(data))
    films = [film for name in store.video_ids() if (film := _tour(store.video(name))) is not None]
    return _collected(store, films, folder / "tours", settings, progress)


def collect_real(
    data: Path, truth: Path, folder: Path, settings: ColmapSettings, progress: Progress = silent
) -> Iterator[JudgedClip]:
    """Yield the samples of real footage: ``data`` is what the ruler ``real`` built of the films in ``truth``."""
    store = Store(str(data))
    films = [
        KnownFilm(store.video(source.video_id), truth_of(Settings()), source.video_id, REAL)
        for part in real_parts(truth)
        for source, truth_of in part.films
    ]
    return _collected(store, films, folder / REAL, settings, progress)


def _tour(video: VideoStore) -> KnownFilm | None:
    tour = tour_of(video)
    if tour is None:
        return None
    return KnownFilm(video, TourFilm(video.video_id, tour), f"tour-{tour.seed}", EASY if tour.filming is None else HARD)


def _collected(
    store: Store, films: list[KnownFilm], folder: Path, settings: ColmapSettings, progress: Progress
) -> Iterator[JudgedClip]:
    for done, film in enumerate(films):
        name = film.video.video_id
        progress("calibration", done, len(films), name)
        kept = folder / f"{name}.jsonl"
        if not kept.exists():
            samples = samples_of(store, film, settings)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text("".join(f"{sample.model_dump_json()}\n" for sample in samples), encoding="utf-8")
        yield from stored(kept)


def samples_of(store: Store, film: KnownFilm, settings: ColmapSettings) -> list[JudgedClip]:
    """Return what comes of one film; nothing where none of its clips is indoors."""
    try:
        clips = clip_rows(film.video)
    except StageMissing:
        return []
    backend = Watched(settings, film)
    with tempfile.TemporaryDirectory() as folder:
        Passes(Workbench(film.video, Catalog(store), Settings()), backend, clips, Path(folder)).run()
    return backend.samples
