"""The seven stages over the store: each reads what earlier ones wrote, calls its module and writes its own group.

All arrays have one row a kept frame (N rows a video), so row i of every array is the same frame. Rows of a clip
that a later stage left out stay, filled with "no value", and ``scene/registered`` is False there.
"""

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import ChangedMeanwhile, ClipError, NoClips, NoIndoorClip, NothingReconstructed
from pipeline.contract.records import IndoorScore, LeftOut, Reconstruction
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.reconstruction.checkpoints import ClipCheckpoints
from pipeline.store.files import VideoStore
from pipeline.store.group_writer import GroupWriter, disk_errors
from pipeline.store.provenance import fingerprint
from pipeline.store.rows import (
    CLASS_COUNTS,
    append_occupancy,
    append_reconstruction,
    append_scene,
    append_semantics,
    blank_occupancy,
    blank_reconstruction,
    blank_scene,
    blank_semantics,
    clip_rows,
    clips_metadata,
    indoor_scores,
    read_labels,
    read_reconstruction,
    read_scene,
    stored_clips,
    unit_depth,
    without_moving,
    write_clips,
    write_indoor_scores,
)

SCORES_VERSION = "1"
"""Raised by hand whenever a backend would score the same frames otherwise."""


class Progress(Protocol):
    """Told how far a stage is."""

    def __call__(self, stage: str, done: float, total: float, note: str = "") -> None:
        """Report ``done`` of ``total`` units of ``stage``."""
        ...


def silent(stage: str, done: float, total: float, note: str = "") -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Workbench:
    """What a stage works with: one video's files, the settings, and somebody to tell how far it is.

    wanted: fingerprint of the result that the running stage is to make.
    """

    video: VideoStore
    settings: Settings
    progress: Progress = silent
    wanted: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a stage has to say about its result; becomes part of its ``Provenance``."""

    backend: str
    counts: Mapping[str, float]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)


Seal = Callable[[Outcome], dict[str, Any]]
"""Turns an outcome into the provenance to be stored beside the result."""

Fill = Callable[[Workbench, GroupWriter], Outcome]


def into_group(group: str) -> Callable[[Fill], Callable[[Workbench, Seal], None]]:
    """Make a stage of a function that fills one Zarr group: the provenance becomes the group's attributes."""

    def stage_of(fill: Fill) -> Callable[[Workbench, Seal], None]:
        @functools.wraps(fill)
        def run(bench: Workbench, seal: Seal) -> None:
            attributes: dict[str, Any] = {}
            with bench.video.write_group(group, attributes) as writer:
                attributes.update(seal(fill(bench, writer)))

        return run

    return stage_of


def fetch_video(bench: Workbench, seal: Seal) -> None:
    """Stage ``video``: fetch the source into ``source.mp4`` and, last, ``source.json``."""
    from pipeline.sources.fetching import fetch_listed, mark_fetched

    video, scratch = bench.video, bench.video.scratch / "download"
    scratch.mkdir(parents=True, exist_ok=True)

    def progress(note: str, share: float) -> None:
        bench.progress("video", share, 1, note)

    with disk_errors():
        source = fetch_listed(video.store, video.video_id, scratch, bench.settings.download, progress)
    counts = {"seconds_of_video": source.duration_s, "megabytes": source.size_bytes / 1e6}
    outcome = Outcome(source.origin.partition(":")[0], counts)
    video.remove("source.json")
    video.place(scratch / "source.mp4", "source.mp4")
    video.write_json("source.json", {**asdict(source), "provenance": seal(outcome)})
    mark_fetched(video)
    shutil.rmtree(scratch)


@contextlib.contextmanager
def source_file(bench: Workbench) -> Iterator[Path]:
    """Give a local path to the video; one that was deleted once its frames were stored is fetched again.

    Raises:
        ChangedMeanwhile: the host gives another file now.
        VideoError: it could not be fetched.
    """
    from pipeline.sources.fetching import fetch_listed

    video, scratch = bench.video, bench.video.scratch / "download"
    if not video.exists("source.mp4") and video.exists("source.json"):
        scratch.mkdir(parents=True, exist_ok=True)
        again = fetch_listed(video.store, video.video_id, scratch, bench.settings.download)
        if again.sha256 != video.read_json("source.json")["sha256"]:
            message = f"{video.video_id}: its host gives another file now; delete its folder to begin anew with that"
            raise ChangedMeanwhile(message)
        video.place(scratch / "source.mp4", "source.mp4")
        shutil.rmtree(scratch)
    with video.local_file("source.mp4") as path:
        yield path


def cut_clips(bench: Workbench, seal: Seal) -> None:
    """Stage ``clips``: cut at shot changes and choose frames; one row a clip in ``clips.parquet``."""
    from pipeline.stages.clips.find import find_clips

    row = Catalog(bench.video.store).rows([bench.video.video_id]).get(bench.video.video_id)
    segments = row.segments if row else ()
    with source_file(bench) as path:
        clips, left_out = find_clips(
            path, bench.settings.scenes, lambda share: bench.progress("clips", share, 1), segments
        )
    if not clips:
        message = f"{bench.video.video_id} has no shot long enough ({len(left_out)} left out); see scenes.clip_min_s"
        raise NoClips(message)
    counts = {"clips": len(clips), "frames": sum(len(clip.frame_index) for clip in clips)}
    provenance = seal(Outcome("pyscenedetect", counts, tuple(left_out)))
    write_clips(bench.video, clips, provenance)


@into_group("frames")
def keep_indoor(bench: Workbench, group: GroupWriter) -> Outcome:
    """Stage ``indoor_clips``: store the frames of indoor clips as ``frames``; every clip's score goes to its row.

    A score found there is used again, so that another threshold asks no network.
    """
    from pipeline.media import read_each
    from pipeline.stages.indoor_clips.sky_rule import indoor_filter

    settings, kept, left_out, scores = bench.settings.indoor, 0, [], []
    backend, clips, scored_by = indoor_filter(settings), stored_clips(bench.video), _scored_by(bench)
    known: list[IndoorScore | None] = [*indoor_scores(bench.video, scored_by)] or [None] * len(clips)
    with source_file(bench) as path:
        pictures = read_each(path, [clip.frame_index for clip in clips])
        for done, (clip, rgb, found) in enumerate(zip(clips, pictures, known, strict=True)):
            bench.progress("indoor_clips", done, len(clips), f"clip {clip.clip_id}")
            score = found or backend.score(rgb)
            scores.append(score)
            if score.indoor < settings.threshold:
                detail = f"P(indoor) {score.indoor:.2f} < {settings.threshold:.2f}"
                left_out.append(LeftOut("indoor_clips", clip.clip_id, "NotIndoor", detail))
                continue
            kept += 1
            group.append("rgb", rgb)
            group.append("clip_id", np.full(len(rgb), clip.clip_id, np.int32))
            group.append("frame_index", clip.frame_index)
            group.append("time_s", clip.time_s)
            group.append("indoor_score", np.full(len(rgb), score.indoor, np.float32))
    write_indoor_scores(bench.video, scores, scored_by)
    indoor = [score.indoor for score in scores]
    if not kept:
        message = f"{bench.video.video_id}: none of {len(clips)} clips is indoors (best score {max(indoor):.2f})"
        raise NoIndoorClip(message)
    counts = {"clips": kept, "clips_left_out": len(left_out), "mean_score": float(np.mean(indoor))}
    notes = tuple(f"clip {clip.clip_id}: {_named(score)}" for clip, score in zip(clips, scores, strict=True))
    return Outcome(backend.name, counts, tuple(left_out), notes if scores[0].categories else (), backend.weights)


def _scored_by(bench: Workbench) -> str:
    """Return what decides the scores of clips: the clips and the backend, but not the threshold."""
    chosen = bench.settings.indoor.backend
    own = getattr(bench.settings.indoor, chosen).model_dump(mode="json")
    return fingerprint(chosen, SCORES_VERSION, own, clips_metadata(bench.video).get("fingerprint", ""))


def _named(score: IndoorScore) -> str:
    return ", ".join(f"{category.name} {category.probability:.2f}" for category in score.categories)


@into_group("reconstruction")
def reconstruct_clips(bench: Workbench, group: GroupWriter) -> Outcome:
    """Stage ``reconstruction``: cameras, depth and confidence of every indoor clip, up to scale.

    Depth is stored in units of the clip's median depth, which keeps float16 at 0.05 % of any value.
    """
    from pipeline.stages.reconstruction.backends import reconstructor

    backend, clips = reconstructor(bench.settings.reconstruct), clip_rows(bench.video)
    checkpoints = ClipCheckpoints(bench.video.scratch / "clips" / bench.wanted)
    for done, (clip_id, rows) in enumerate(clips):
        bench.progress("reconstruction", done, len(clips), f"clip {clip_id}, {rows.stop - rows.start} frames")
        if clip_id in checkpoints:
            continue
        with tempfile.TemporaryDirectory(dir=checkpoints.folder) as scratch:
            try:
                rgb = bench.video.read("frames", "rgb", rows)
                checkpoints.save(clip_id, unit_depth(backend.reconstruct(rgb, Path(scratch))))
            except ClipError as error:
                checkpoints.save(clip_id, error)
    left_out = [found for clip_id, _ in clips if isinstance(found := checkpoints.load(clip_id), LeftOut)]
    if len(left_out) == len(clips):
        reasons = "; ".join(f"clip {item.clip_id}: {item.code}: {item.detail}" for item in left_out)
        message = f"{bench.video.video_id}: no clip could be reconstructed ({reasons})"
        raise NothingReconstructed(message)
    notes = _collect_reconstructions(group, clips, checkpoints)
    shutil.rmtree(checkpoints.folder)
    counts = {"clips": len(clips) - len(left_out), "clips_left_out": len(left_out)}
    return Outcome(backend.name, counts, tuple(left_out), notes, backend.weights)


@into_group("scene")
def make_metric(bench: Workbench, group: GroupWriter) -> Outcome:
    """Stage ``scene``: outliers dropped, z up, floor at z = 0, walls 2.8 m."""
    from pipeline.stages.scene.metric import to_metric

    left_out, sources, ups = [], [], []
    clips = clip_rows(bench.video)
    for done, (clip_id, rows) in enumerate(clips):
        bench.progress("scene", done, len(clips), f"clip {clip_id}")
        reconstruction = read_reconstruction(bench.video, rows)
        scene = None
        if reconstruction.registered.any():
            try:
                scene = to_metric(reconstruction, bench.settings.metric)
                sources.append(scene.scale_source)
                ups.append(scene.up_confidence)
            except ClipError as error:
                left_out.append(LeftOut("scene", clip_id, error.code, str(error)))
        append_scene(group, scene or blank_scene(reconstruction))
    if not ups:
        message = f"{bench.video.video_id}: no clip could be set upright ({len(left_out)} left out)"
        raise NothingReconstructed(message)
    counts = {"clips": len(ups), "mean_up_confidence": float(np.mean(ups))}
    notes = tuple(f"scale from {source.name.lower()}: {sources.count(source)} clips" for source in sorted(set(sources)))
    return Outcome("wall_height", counts, tuple(left_out), notes)


@into_group("semantics")
def label_frames(bench: Workbench, group: GroupWriter) -> Outcome:
    """Stage ``semantics``: labels and regions of every frame, at the resolution of its depth."""
    from pipeline.stages.semantics.backends import segmenter

    backend = segmenter(bench.settings.semantics, bench.video.store.scratch)
    clips, known, notes, regions = clip_rows(bench.video), [], [], 0
    for done, (clip_id, rows) in enumerate(clips):
        bench.progress("semantics", done, len(clips), f"clip {clip_id}")
        scene = read_scene(bench.video, rows)
        semantics = blank_semantics(scene.depth)
        if scene.registered.any():
            semantics = backend.segment(bench.video.read("frames", "rgb", rows), scene)
            known.append(float((semantics.labels != SemanticClass.UNKNOWN).mean()))
            notes += [f"clip {clip_id}: {note}" for note in semantics.notes]
        regions = append_semantics(group, semantics, regions)
    return Outcome(backend.name, {"share_labelled": float(np.mean(known))}, (), tuple(notes), backend.weights)


@into_group("occupancy")
def fill_grids(bench: Workbench, group: GroupWriter) -> Outcome:
    """Stage ``occupancy``: one grid a frame, with the number of voxels of every class."""
    from pipeline.geometry.voxels import voxelize

    clips, totals, frames = clip_rows(bench.video), np.zeros(len(CLASS_COUNTS), np.int64), 0
    for done, (clip_id, rows) in enumerate(clips):
        bench.progress("occupancy", done, len(clips), f"clip {clip_id}")
        scene, occupancy = read_scene(bench.video, rows), blank_occupancy(rows.stop - rows.start)
        if scene.registered.any():
            semantics = read_labels(bench.video, rows)
            occupancy = voxelize(without_moving(scene, semantics), semantics, bench.settings.voxelize)
        counts = append_occupancy(group, occupancy)
        totals += counts[scene.registered].sum(axis=0)
        frames += int(scene.registered.sum())
    shares = totals / max(totals.sum(), 1)
    summary = {"frames": frames, "share_occupied": shares[1:-1].sum(), "share_unknown": shares[-1]}
    return Outcome("points_and_rays", {key: float(value) for key, value in summary.items()})


def _collect_reconstructions(
    group: GroupWriter, clips: list[tuple[int, slice]], checkpoints: ClipCheckpoints
) -> tuple[str, ...]:
    notes: list[str] = []
    found = (checkpoints.load(clip_id) for clip_id, _ in clips)
    h, w = next(item.depth.shape[1:] for item in found if isinstance(item, Reconstruction))
    for clip_id, rows in clips:
        item = checkpoints.load(clip_id)
        if isinstance(item, LeftOut):
            item = blank_reconstruction(rows.stop - rows.start, h, w)
        notes += [f"clip {clip_id}: {note}" for note in item.notes]
        append_reconstruction(group, item)
    return tuple(notes)
