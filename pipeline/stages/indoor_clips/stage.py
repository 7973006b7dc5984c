"""Stage ``indoor_clips``: only what was filmed inside a house goes on, and no clip that people fill."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.errors import NoIndoorClip
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import IndoorScore, LeftOut
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.indoor_clips.backends import SETTINGS, indoor_filter
from pipeline.stages.indoor_clips.base import IndoorFilter
from pipeline.stages.indoor_clips.checks import frames_shape
from pipeline.stages.indoor_clips.rows import append_frames, indoor_scores, write_indoor_scores
from pipeline.stages.indoor_clips.settings import IndoorClipsSettings
from pipeline.stages.indoor_clips.upright import turned_by
from pipeline.stages.weight_files import weight_files
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import CLIPS, FRAMES, SOURCE_VIDEO
from pipeline.store.outputs import GroupOutput, TableOutput
from pipeline.store.provenance import fingerprint
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore

SCORES_VERSION = "2"
"""Raised by hand whenever a backend would score the same frames otherwise."""


@stage(
    code_version="1",
    settings=SETTINGS,
    inputs=("video", "clips"),
    output=GroupOutput(FRAMES),
    preview=imported("pipeline.stages.indoor_clips.preview:contact_sheet"),
    checks=(frames_shape,),
    beside=imported("pipeline.stages.indoor_clips.rows:scored_by"),
    resources=Resources(memory_gb=1),
)
def indoor_clips(workbench: Workbench, settings: IndoorClipsSettings, group: GroupWriter) -> StageResult:
    """Store the frames of indoor clips as ``frames``; every clip's score goes to its row of ``clips.parquet``.

    A score found there is used again, so that another threshold asks no network. A video whose indoor clips say that it
    is turned by quarters has none that is kept: its floor would be a wall or the ceiling.
    """
    from pipeline.media import read_each

    video, backend, left_out, scores = workbench.video, indoor_filter(settings), [], []
    clips, scored_by = stored_clips(video), _scored_by(video, settings)
    known: list[IndoorScore | None] = [*indoor_scores(video, scored_by)] or [None] * len(clips)
    with video.local_file(SOURCE_VIDEO) as path:
        pictures = read_each(path, [clip.frame_index for clip in clips], [clip.box for clip in clips])
        for done, (clip, rgb, found) in enumerate(zip(clips, pictures, known, strict=True)):
            workbench.progress("indoor_clips", done, len(clips), f"clip {clip.clip_id}")
            score = found or backend.score(_shown(rgb, backend))
            scores.append(score)
            if why := _objection(score, settings.threshold):
                left_out.append(LeftOut("indoor_clips", clip.clip_id, *why))
            else:
                append_frames(group, clip, rgb, score)
    workbench.check_weights()
    write_indoor_scores(video, scores, scored_by)
    _some_are_left(video.video_id, scores, left_out)
    if settings.leave_out_turned:
        _are_upright(video.video_id, dict(zip((clip.clip_id for clip in clips), scores, strict=True)), left_out)
    kept, mean = len(clips) - len(left_out), float(np.mean([score.indoor for score in scores]))
    counts = {"clips": kept, "clips_left_out": len(left_out), "mean_score": mean}
    notes = tuple(f"clip {clip.clip_id}: {_named(score)}" for clip, score in zip(clips, scores, strict=True))
    notes = notes if scores[0].categories else ()
    return StageResult(backend.name, counts, tuple(left_out), notes, backend.weights, beside=scored_by)


def _objection(score: IndoorScore, threshold: float) -> tuple[str, str] | None:
    """Return why a clip is left out, a code and a sentence; None where it is kept."""
    if score.indoor < threshold:
        return "NotIndoor", f"P(indoor) {score.indoor:.2f} < {threshold:.2f}"
    return ("People", score.people) if score.people else None


def _shown(rgb: Images, backend: IndoorFilter) -> Images:
    """Return what a backend sees of a clip's frames: nothing of the black beside upright ones."""
    from pipeline.media import unpadded

    return rgb[:, :, shown_columns(rgb)] if getattr(backend, "sees_whole", False) else unpadded(rgb)


def _some_are_left(video_id: str, scores: Sequence[IndoorScore], left_out: Sequence[LeftOut]) -> None:
    if len(left_out) == len(scores):
        filled = sum(bool(score.people) for score in scores)
        besides = f"; {filled} filled by people" if filled else ""
        best = max(score.indoor for score in scores)
        message = f"{video_id}: none of {len(scores)} clips is indoors (best score {best:.2f}{besides})"
        raise NoIndoorClip(message, left_out)


def _are_upright(video_id: str, scores: Mapping[int, IndoorScore], left_out: Sequence[LeftOut]) -> None:
    gone = {item.clip_id for item in left_out}
    kept = {clip_id: score for clip_id, score in scores.items() if clip_id not in gone}
    found = turned_by([*kept.values()])
    if found is None:
        return
    degrees, evidence = found
    clips = f"{len(kept)} indoor clip{'s' * (len(kept) > 1)}"
    why = f"the film is turned {degrees} degrees clockwise (evidence {evidence:.1f} in the mean of {clips})"
    turned = [LeftOut("indoor_clips", clip_id, "Turned", why) for clip_id in kept]
    raise NoIndoorClip(
        f"{video_id}: {why}; turn the file, or keep the film as it is by indoor_clips.leave_out_turned=false",
        sorted([*left_out, *turned], key=lambda item: item.clip_id or 0),
    )


def _scored_by(video: VideoStore, settings: IndoorClipsSettings) -> str:
    """Return what decides the scores of clips: the clips, the backend and what its weights hold, but no threshold."""
    own = settings.of(settings.backends[settings.backend]).model_dump(mode="json")
    cut = TableOutput(CLIPS).noted(video) or {}
    return fingerprint(settings.backend, SCORES_VERSION, own, cut.get("fingerprint", ""), weight_files(settings))


def _named(score: IndoorScore) -> str:
    return ", ".join(f"{category.name} {category.probability:.2f}" for category in score.categories)
