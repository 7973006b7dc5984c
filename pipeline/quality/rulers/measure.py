"""Measures one film against its truth, shot by shot: what came through and how good it is, and what was lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.records import Clip, LeftOut
from pipeline.geometry.voxels import voxelize_frame
from pipeline.quality.measures import clip_errors, labels_of, overlaps, rows_of
from pipeline.quality.rulers.records import ShotScores
from pipeline.quality.scores import ClipErrors, Overlap
from pipeline.quality.truth.film import TrueFilm, TrueShot
from pipeline.settings import Settings
from pipeline.stages.chain import made_by
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.stage import clips
from pipeline.stages.occupancy.settings import label_of_unlabelled
from pipeline.stages.occupancy.stage import occupancy
from pipeline.stages.registry import stages
from pipeline.store.groups import CLIPS
from pipeline.store.rows import clip_rows, read_labels, read_scene, stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.truth import as_stored


@dataclass(frozen=True)
class _Stored:
    """What is stored of a film: clips as they were cut; the rows of those that are built; who was left out and why."""

    clips: list[Clip]
    rows: dict[int, slice]
    left_out: list[LeftOut]
    failure: str


@dataclass(frozen=True)
class _Compared:
    """One clip against its truth. registered: (n,) bool, its frames that have a camera."""

    registered: NDArray[np.bool_]
    errors: ClipErrors | None = None
    grids: OverlapCounts = field(default_factory=OverlapCounts.nothing)
    grids_true_scale: OverlapCounts = field(default_factory=OverlapCounts.nothing)


def measure_film(video: VideoStore, film: TrueFilm, settings: Settings, failure: str = "") -> tuple[ShotScores, ...]:
    """Compare what is stored of a film with its truth, shot by shot.

    failure: why it could not be built, if so; then it is lost as a whole.
    """
    stored = _stored(video, failure)
    shown: dict[int | None, list[Clip]] = defaultdict(list)
    for clip in stored.clips:
        shown[shot_of(clip.frame_index, film.shots)].append(clip)
    return tuple(
        _shot_scores(video, film, shot, shown[number], stored, settings) for number, shot in enumerate(film.shots)
    )


def shot_of(frame_index: NDArray[np.int64], shots: Sequence[TrueShot]) -> int | None:
    """Return which shot most of some frames (n,) show; None where none of them is in any."""
    inside = [int(((frame_index >= shot.start) & (frame_index < shot.end)).sum()) for shot in shots]
    return int(np.argmax(inside)) if any(inside) else None


def would_be_kept(shot: TrueShot, fps: float, settings: ClipsSettings) -> NDArray[np.int64]:
    """Return the frames (n,) that the stage ``clips`` would choose of a whole shot, were none blurred."""
    from pipeline.stages.clips.find import evenly_spaced

    return evenly_spaced(shot.start, shot.end, (shot.end - shot.start) / fps, settings)


def _stored(video: VideoStore, failure: str) -> _Stored:
    made = [found for name in stages() if (found := made_by(video, name)) is not None]
    return _Stored(
        clips=stored_clips(video) if video.exists(CLIPS) else [],
        rows={} if failure else dict(clip_rows(video)),
        left_out=[item for found in made for item in found.left_out],
        failure=failure,
    )


def _shot_scores(
    video: VideoStore, film: TrueFilm, shot: TrueShot, shown: Sequence[Clip], stored: _Stored, settings: Settings
) -> ShotScores:
    compared = {clip.clip_id: _compare(video, film, clip, stored.rows, settings) for clip in shown}
    usual = would_be_kept(shot, film.fps, settings.of(clips))
    missed = [_missed_of(film, clip, ~compared[clip.clip_id].registered, settings) for clip in shown]
    frames = sum(len(clip.frame_index) for clip in shown) or len(usual)
    if not shown and shot.wanted:
        missed = [_missed_of_shot(film, shot, len(usual), settings)]
    return ShotScores(
        name=shot.name,
        wanted=shot.wanted,
        frames=frames,
        kept=sum(int(found.registered.sum()) for found in compared.values()),
        errors=tuple(found.errors for found in compared.values() if found.errors is not None),
        grids=_sum(found.grids for found in compared.values()),
        grids_true_scale=_sum(found.grids_true_scale for found in compared.values()),
        missed=_sum(missed),
        reason=_reason({clip.clip_id for clip in shown}, stored),
    )


def _compare(video: VideoStore, film: TrueFilm, clip: Clip, built: dict[int, slice], settings: Settings) -> _Compared:
    rows = built.get(clip.clip_id)
    if rows is None:
        return _Compared(np.zeros(len(clip.frame_index), np.bool_))
    scene = read_scene(video, rows)
    told = scene.registered & film.known(clip.frame_index)
    if told.sum() < 2:  # errors of cameras are those of pairs
        return _Compared(scene.registered)
    truth = as_stored(video, film.clip(clip.frame_index[told], clip.box), np.arange(rows.start, rows.stop)[told])
    ours, labels = rows_of(scene, told), labels_of(read_labels(video, rows), told)
    errors = clip_errors(video, clip.clip_id, rows, ours, truth, told)
    if not truth.scene.depth.any():
        return _Compared(scene.registered, errors)
    made = made_by(video, occupancy.name)
    rule, unlabelled = settings.of(occupancy), SemanticClass.UNNAMED
    if made:
        rule, unlabelled = rule.as_made(made.code_version), label_of_unlabelled(made.code_version)
    _, grids, grids_true_scale = overlaps(ours, labels, truth, rule, unlabelled)
    return _Compared(scene.registered, errors, grids, grids_true_scale)


def _missed_of(film: TrueFilm, clip: Clip, lost: NDArray[np.bool_], settings: Settings) -> OverlapCounts:
    """Count what the true grids of the lost frames of a clip hold, filled from all of its frames."""
    known = film.known(clip.frame_index)
    if not (lost & known).any():
        return OverlapCounts.nothing()
    truth = film.clip(clip.frame_index[known], clip.box).for_grids()
    frames = np.flatnonzero(lost[known]).tolist()
    rule = settings.of(occupancy).of_points()
    grids = [voxelize_frame(truth.scene, truth.semantics, i, rule, SemanticClass.UNKNOWN).labels for i in frames]
    nothing = np.full_like(grids[0], SemanticClass.UNKNOWN)
    return sum((overlap(nothing, grid) for grid in grids), OverlapCounts.nothing())


def _missed_of_shot(film: TrueFilm, shot: TrueShot, wanted: int, settings: Settings) -> OverlapCounts:
    """Count the same for a shot of which no clip was cut: as many frames as would be known of those kept."""
    everything = np.arange(shot.start, shot.end)
    known = everything[film.known(everything)]
    count = round(wanted * len(known) / max(len(everything), 1))
    if not count:
        return OverlapCounts.nothing()
    chosen = known[((np.arange(count) + 0.5) * len(known) / count).astype(np.int64)]
    unread = Clip(0, shot.start, shot.end, chosen, chosen / film.fps, np.ones(count, np.float32), motion=0.0)
    return _missed_of(film, unread, np.ones(count, np.bool_), settings)


def _reason(clip_ids: set[int], stored: _Stored) -> str:
    """Say why clips were left out; of a shot that no clip was cut from, all that were not cut."""
    if stored.failure:
        return stored.failure
    own = [item for item in stored.left_out if item.clip_id in clip_ids]
    if clip_ids or own:
        return "; ".join(f"{item.code}: {item.detail}" for item in own)
    counted = Counter(item.code for item in stored.left_out if item.stage == clips.name)
    uncut = ", ".join(f"{count} {code}" for code, count in counted.items())
    return f"no clip was cut from it (left out in this film: {uncut or 'none'})"


def _sum(parts: Iterable[OverlapCounts]) -> Overlap:
    return Overlap.of(sum(parts, OverlapCounts.nothing()))
