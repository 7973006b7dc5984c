"""Runs the stages of one video in order, doing only what settings, code or input have made stale."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.contract.errors import CorruptStore, StageMissing
from pipeline.stages.base import SettingsTree, StageResult, Workbench
from pipeline.stages.failures import forget_failure, record_failure
from pipeline.stages.registry import AnyStage, last_stages, latest_inputs, stages
from pipeline.store.groups import OCCUPANCY, SOURCE_VIDEO
from pipeline.store.outputs import provenance
from pipeline.store.provenance import Provenance, fingerprint, joined
from pipeline.store.video import VideoStore


@dataclass(frozen=True)
class StageReport:
    """What a stage did: its provenance, and whether an earlier result was good enough."""

    provenance: Provenance
    reused: bool


def process_video(workbench: Workbench, *, keep_source: bool = True) -> Iterator[StageReport]:
    """Run all stages of one video, holding its lock; yields a report after each.

    A failure is noted in the video's ``failure.json`` and raised; a success clears the note.

    Raises:
        VideoError: the video cannot be built; the message says why and what to do.
    """
    with workbench.video.locked():
        for name in stages():
            yield run_stage(name, workbench)
        finish_video(workbench, keep_source=keep_source)


def finish_video(workbench: Workbench, *, keep_source: bool = True) -> None:
    """Note that a video is built; its source is deleted where its stored frames are thought enough."""
    video = workbench.video
    forget_failure(video)
    workbench.catalog.mark_built(video.video_id, final_fingerprint(video.video_id, workbench.settings))
    if not keep_source:
        video.remove(SOURCE_VIDEO)


def run_stage(name: str, workbench: Workbench) -> StageReport:
    """Run one stage, or reuse its stored result if it is what today's settings, code and input would give.

    Raises:
        StageMissing: a stage before it has not been run.
        VideoError: the stage failed; also noted in the video's ``failure.json``.
    """
    wanted, stored = _fingerprint_now(name, workbench), made_by(workbench.video, name)
    if stored and stored.fingerprint == wanted:
        return StageReport(stored, reused=True)
    try:
        made = _make(stages()[name], replace(workbench, wanted=wanted))
    except Exception as error:
        if isinstance(error, CorruptStore):
            drop_damaged(workbench.video, error)
        record_failure(workbench.video, name, final_fingerprint(workbench.video.video_id, workbench.settings), error)
        raise
    return StageReport(made, reused=False)


def drop_damaged(video: VideoStore, error: CorruptStore) -> None:
    """Delete the group that does not read back and the last one, so that the video is unfinished and built again."""
    if error.group:
        video.drop_group(OCCUPANCY)
        video.drop_group(error.group)


def made_by(video: VideoStore, name: str) -> Provenance | None:
    """Return what a stage noted about its stored result, or None where there is no result or a damaged one."""
    return provenance(video, stages()[name].output)


def final_fingerprint(video_id: str, settings: SettingsTree) -> str:
    """Return the fingerprint of a finished video under these settings and this code: that of its last stages."""
    found: dict[str, str] = {}
    for name in stages():
        found[name] = _fingerprint(name, settings, video_id, [found[given] for given in latest_inputs(name)])
    return joined([found[name] for name in last_stages()])


def is_built(video: VideoStore, settings: SettingsTree) -> bool:
    """Tell whether a video has all its results, made with these settings and this code."""
    found = [made_by(video, name) for name in last_stages()]
    made = [last.fingerprint for last in found if last is not None]
    return len(made) == len(found) and joined(made) == final_fingerprint(video.video_id, settings)


def decisive_settings(stage: AnyStage, settings: SettingsTree) -> dict[str, object]:
    """Return the settings that decide the result of a stage, as plain values."""
    return dict(settings.of(stage).decisive())


def _fingerprint_now(name: str, workbench: Workbench) -> str:
    found = {given: made_by(workbench.video, given) for given in latest_inputs(name)}
    missing = next((given for given, made in found.items() if made is None), None)
    if missing is not None:
        message = f"{workbench.video.video_id}: stage {name!r} needs {missing!r}, which has not been run"
        raise StageMissing(message)
    upstream = [made.fingerprint for made in found.values() if made is not None]
    return _fingerprint(name, workbench.settings, workbench.video.video_id, upstream)


def _fingerprint(name: str, settings: SettingsTree, video_id: str, upstream: list[str]) -> str:
    stage = stages()[name]
    return fingerprint(name, stage.code_version, decisive_settings(stage, settings), joined(upstream or [video_id]))


def _make(stage: AnyStage, workbench: Workbench) -> Provenance:
    started, settings = time.perf_counter(), workbench.settings.of(stage)
    _restore_inputs(stage, workbench)
    with stage.output.draft(workbench.video) as draft:
        result: StageResult = stage.fill(workbench, settings, draft)
        made = Provenance(
            stage=stage.name,
            backend=result.backend,
            code_version=stage.code_version,
            settings=settings.decisive(),
            weights=dict(result.weights),
            fingerprint=workbench.wanted,
            seconds=round(time.perf_counter() - started, 3),
            counts=dict(result.counts),
            left_out=result.left_out,
            notes=result.notes,
        )
        draft.attributes.update(made.model_dump(mode="json"))
    if stage.published is not None:
        stage.published(workbench)
    return made


def _restore_inputs(stage: AnyStage, workbench: Workbench) -> None:
    for given in (stages()[name] for name in stage.inputs):
        if given.restore is not None:
            given.restore(workbench, workbench.settings.of(given))
