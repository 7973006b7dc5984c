"""Measures one film against its truth, shot by shot: what came through and how good it is, and what was lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.records import WHOLE, Box, Clip, LeftOut
from pipeline.geometry.voxels import voxelize_frame
from pipeline.quality.measures import clip_errors, labels_of, overlaps, rows_of
from pipeline.quality.rulers.records import ShotScores
from pipeline.quality.rulers.uncut import Uncut, counted_once, shot_of, uncut_of, why_uncut, would_be_kept
from pipeline.quality.scores import ClipErrors, Overlap
from pipeline.quality.truth.film import TrueFilm, TrueShot
from pipeline.settings import Settings
from pipeline.stages.chain import made_by
from pipeline.stages.clips.stage import clips
from pipeline.stages.occupancy.settings import label_of_unlabelled
from pipeline.stages.occupancy.stage import occupancy
from pipeline.stages.registry import stages
from pipeline.store.groups import CLIPS, SCENE
from pipeline.store.rows import clip_rows, read_labels, read_scene, stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.truth import as_stored


@dataclass(frozen=True)
class _Stored:
    """What is stored of a film: clips as they were cut; the rows of those that are built; who was left out and why.

    registered: by clip, (n,) bool, its frames that have a camera. own: by clip, (n,) bool, those that count as its own.
    """

    clips: list[Clip]
    rows: dict[int, slice]
    registered: dict[int, NDArray[np.bool_]]
    own: dict[int, NDArray[np.bool_]]
    left_out: list[LeftOut]
    failure: str


@dataclass(frozen=True)
class _Compared:
    """One clip against its truth."""

    errors: ClipErrors | None = None
    grids: OverlapCounts = field(default_factory=OverlapCounts.nothing)
    grids_true_scale: OverlapCounts = field(default_factory=OverlapCounts.nothing)


def measure_film(video: VideoStore, film: TrueFilm, settings: Settings, failure: str = "") -> tuple[ShotScores, ...]:
    """Compare what is stored of a film with its truth, shot by shot.

    failure: why it could not be built, if so; then it is lost as a whole.
    """
    stored, shots = _stored(video, failure), film.shots
    shown = [(shot_of(clip.frame_index, shots), clip) for clip in stored.clips]
    found = []
    for number, shot in enumerate(shots):
        # A clip may reach into the next shot; what it holds of that counts where the clip does.
        counting = [clip for of, clip in shown if of is not None and shots[of].wanted == shot.wanted]
        uncut = uncut_of(shot, film.fps, counting, settings.of(clips))
        found.append(
            _shot_scores(video, film, shot, [clip for of, clip in shown if of == number], uncut, stored, settings)
        )
    return tuple(found)


def lost_film(film: TrueFilm, settings: Settings, reason: str) -> tuple[ShotScores, ...]:
    """Return the scores of a film that could not be compared with its truth: all is lost, nothing is known of grids."""
    return tuple(
        ShotScores(
            name=shot.name,
            wanted=shot.wanted,
            frames=len(would_be_kept(shot, film.fps, settings.of(clips))),
            kept=0,
            errors=(),
            grids=_sum(()),
            grids_true_scale=_sum(()),
            missed=_sum(()),
            reason=reason,
        )
        for shot in film.shots
    )


def _stored(video: VideoStore, failure: str) -> _Stored:
    made = [found for name in stages() if (found := made_by(video, name)) is not None]
    cut = stored_clips(video) if video.exists(CLIPS) else []
    rows = {} if failure else dict(clip_rows(video))
    registered = {
        clip.clip_id: np.asarray(video.read(SCENE, "registered", rows[clip.clip_id]), np.bool_)
        if clip.clip_id in rows
        else np.zeros(len(clip.frame_index), np.bool_)
        for clip in cut
    }
    left_out = [item for found in made for item in found.left_out]
    return _Stored(cut, rows, registered, counted_once(cut, registered), left_out, failure)


def _shot_scores(
    video: VideoStore,
    film: TrueFilm,
    shot: TrueShot,
    shown: Sequence[Clip],
    uncut: Uncut,
    stored: _Stored,
    settings: Settings,
) -> ShotScores:
    compared = [_compare(video, film, clip, stored, settings) for clip in shown]
    own, registered = stored.own, stored.registered
    missed = [_missed_of(film, clip, own[clip.clip_id] & ~registered[clip.clip_id], settings) for clip in shown]
    if shot.wanted:
        missed.append(_missed_uncut(film, uncut, shown[0].box if shown else WHOLE, settings))
    return ShotScores(
        name=shot.name,
        wanted=shot.wanted,
        frames=sum(int(own[clip.clip_id].sum()) for clip in shown) + len(uncut.lost),
        kept=sum(int((own[clip.clip_id] & registered[clip.clip_id]).sum()) for clip in shown),
        errors=tuple(found.errors for found in compared if found.errors is not None),
        grids=_sum(found.grids for found in compared),
        grids_true_scale=_sum(found.grids_true_scale for found in compared),
        missed=_sum(missed),
        reason=_reason({clip.clip_id for clip in shown}, uncut, stored),
    )


def _compare(video: VideoStore, film: TrueFilm, clip: Clip, stored: _Stored, settings: Settings) -> _Compared:
    rows = stored.rows.get(clip.clip_id)
    if rows is None:
        return _Compared()
    scene = read_scene(video, rows)
    told = scene.registered & film.known(clip.frame_index)
    if told.sum() < 2:  # errors of cameras are those of pairs
        return _Compared()
    truth = as_stored(video, film.clip(clip.frame_index[told], clip.box), np.arange(rows.start, rows.stop)[told])
    ours, labels = rows_of(scene, told), labels_of(read_labels(video, rows), told)
    errors = clip_errors(video, clip.clip_id, rows, ours, truth, told)
    if not truth.scene.depth.any():
        return _Compared(errors)
    made = made_by(video, occupancy.name)
    rule, unlabelled = settings.of(occupancy), SemanticClass.UNNAMED
    if made:
        rule, unlabelled = rule.as_made(made.code_version), label_of_unlabelled(made.code_version)
    own = stored.own[clip.clip_id][told]
    _, grids, grids_true_scale = overlaps(ours, labels, truth, rule, unlabelled, counted=own)
    return _Compared(errors, grids, grids_true_scale)


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


def _missed_uncut(film: TrueFilm, uncut: Uncut, box: Box, settings: Settings) -> OverlapCounts:
    """Count the same for what no clip was cut from: as many frames as would be known of those kept."""
    known = uncut.frames[film.known(uncut.frames)]
    count = round(len(uncut.lost) * len(known) / max(len(uncut.frames), 1))
    if not count:
        return OverlapCounts.nothing()
    chosen = known[((np.arange(count) + 0.5) * len(known) / count).astype(np.int64)]
    start, end = int(chosen[0]), int(chosen[-1]) + 1
    unread = Clip(0, start, end, chosen, chosen / film.fps, np.ones(count, np.float32), motion=0.0, box=box)
    return _missed_of(film, unread, np.ones(count, np.bool_), settings)


def _reason(clip_ids: set[int], uncut: Uncut, stored: _Stored) -> str:
    """Say why clips of a shot were left out, and why of parts of it none was cut."""
    own = [f"{item.code}: {item.detail}" for item in stored.left_out if item.clip_id in clip_ids]
    reasons = [stored.failure] if stored.failure else own
    if len(uncut.lost) and (stored.clips or not stored.failure):
        reasons.append(why_uncut(uncut, stored.clips, stored.left_out))
    elif not clip_ids and not reasons:
        reasons.append("its frames are in a clip of another shot")
    return "; ".join(reasons)


def _sum(parts: Iterable[OverlapCounts]) -> Overlap:
    return Overlap.of(sum(parts, OverlapCounts.nothing()))
