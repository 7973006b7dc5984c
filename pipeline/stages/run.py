"""Runs the stages of one video in order, doing only what settings, code or input have made stale."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from models.spent import Spent, metered
from pipeline.contract.errors import (
    CorruptStore,
    NewerResult,
    StageMissing,
    StorageFailed,
    interruption,
    naming,
)
from pipeline.stages.base import SettingsTree, StageResult, Workbench
from pipeline.stages.chain import agrees, content_of, finished_fingerprint, is_newer, made_by, made_from, upstream
from pipeline.stages.damage import examined, set_aside_if_damaged
from pipeline.stages.failures import forget_failure, record_failure
from pipeline.stages.registry import AnyStage, check_stage, last_stages, latest_inputs, stages
from pipeline.stages.weight_files import WeightFiles, check_noted, check_unchanged, weight_files
from pipeline.store.drafts import remove_tree
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.provenance import Cost, Provenance, fingerprint, identity, joined, linked
from pipeline.store.video import VideoStore


@dataclass(frozen=True)
class StageReport:
    """What a stage did: its provenance, and whether an earlier result was good enough."""

    provenance: Provenance
    reused: bool


def process_video(workbench: Workbench, *, keep_source: bool = True, until: str | None = None) -> Iterator[StageReport]:
    """Run all stages of one video, holding its lock; yields a report after each.

    A failure is noted in the video's ``failure.json`` and raised; a success clears the note.

    Args:
        workbench: the video, and what its stages work with.
        keep_source: else the source is deleted once the video is built.
        until: the last stage to run, after which the video is not built; None for all.

    Raises:
        SettingsError: there is no such stage.
        VideoError: the video cannot be built; the message says why and what to do.
    """
    check_stage(until)
    with workbench.video.locked():
        for name in stages():
            yield run_stage(name, workbench)
            if name == until and name != list(stages())[-1]:
                return
        finish_video(workbench, keep_source=keep_source)


def finish_video(workbench: Workbench, *, keep_source: bool = True) -> None:
    """Note that a video is built; its source is deleted where its stored frames are thought enough.

    So is what kills of earlier runs left among the work in progress.
    """
    video = workbench.video
    remove_tree(video.scratch)
    forget_failure(video)
    workbench.catalog.mark_built(video.video_id, finished_fingerprint(video) or "")
    if not keep_source:
        video.remove(SOURCE_VIDEO)


def run_stage(name: str, workbench: Workbench) -> StageReport:
    """Run one stage, or reuse its stored result if it is what today's settings, code and input would give.

    Raises:
        StageMissing: a stage before it has not been run.
        NewerResult: what is stored was made by newer code, on another machine that has a newer release.
        VideoError: the stage failed; also noted in the video's ``failure.json``.
    """
    video, before = workbench.video, _upstream_now(name, workbench)
    files = weight_files(workbench.settings.of(stages()[name]))
    wanted, stored = _fingerprints(name, workbench.settings, before, files), made_by(video, name)
    content = (
        content_of(video) if stages()[name].inputs else ""
    )  # what the first stage brings is known when it is there
    if stored and stored.fingerprint in wanted and made_from(stored, before, content) and agrees(video, name, stored):
        return StageReport(stored, reused=True)
    if stored and is_newer(stored, name):  # else two releases on one store would make it anew by turns
        raise NewerResult(
            f"{video.video_id}: a newer release made {name!r} (code version {stored.code_version}, here "
            f"{stages()[name].code_version}): take that release, or 'youtube-occ drop {video.video_id}' and begin anew"
        )
    try:
        if stored is None:
            set_aside_if_damaged(video, stages()[name].output)
        with naming(SOURCE_VIDEO, video.video_id):
            made = _make(stages()[name], replace(workbench, wanted=wanted[0]), linked(before, content), files)
    except Exception as error:
        if (asked_to_end := interruption(error)) is not None:
            raise asked_to_end from None
        said = _said(video, error)
        record_failure(video, name, final_fingerprint(video.video_id, workbench.settings), said)
        if said is error:
            raise
        raise said from error
    return StageReport(made, reused=False)


def _said(video: VideoStore, error: Exception) -> Exception:
    """Return what is to be noted of an error: damage is moved aside; what a disk refused is nothing of the video's."""
    if isinstance(error, CorruptStore):
        return examined(video, error)
    return StorageFailed(f"{type(error).__name__}: {error}") if isinstance(error, OSError) else error


def final_fingerprint(video_id: str, settings: SettingsTree) -> str:
    """Return the fingerprint of a finished video under these settings and this code: that of its last stages."""
    return final_fingerprints(video_id, settings)[0]


def final_fingerprints(video_id: str, settings: SettingsTree) -> tuple[str, ...]:
    """Return ``final_fingerprint``, and after it those of videos that hold results of earlier code which stand."""
    found = fingerprints_now(video_id, settings)
    return tuple(joined(ends) for ends in product(*(found[name] for name in last_stages())))


def fingerprints_now(video_id: str, settings: SettingsTree) -> dict[str, tuple[str, ...]]:
    """Return by stage the fingerprint that its result would get, and those of earlier code whose results stand."""
    found: dict[str, tuple[str, ...]] = {}
    for name in stages():
        files = weight_files(settings.of(stages()[name]))
        befores = (joined(given) for given in product(*(found[given] for given in latest_inputs(name))) if given)
        made = [_fingerprints(name, settings, before, files) for before in list(befores) or [video_id]]
        found[name] = tuple(dict.fromkeys(each for some in made for each in some))
    return found


def is_built(video: VideoStore, settings: SettingsTree) -> bool:
    """Tell whether a video has all its results, made from each other with these settings and code that stands."""
    return finished_fingerprint(video) in final_fingerprints(video.video_id, settings)


def decisive_settings(stage: AnyStage, settings: SettingsTree) -> dict[str, object]:
    """Return the settings that decide the result of a stage, as plain values."""
    return dict(settings.of(stage).decisive())


def _upstream_now(name: str, workbench: Workbench) -> str:
    made: dict[str, Provenance] = {}
    for given in latest_inputs(name):
        found = made_by(workbench.video, given)
        if found is None:
            message = f"{workbench.video.video_id}: stage {name!r} needs {given!r}, which has not been run"
            raise StageMissing(message)
        made[given] = found
    return upstream(workbench.video.video_id, name, made)


def _fingerprints(name: str, settings: SettingsTree, before: str, files: WeightFiles) -> tuple[str, ...]:
    """Return the fingerprint that a result would get today, and those of earlier code whose results stand."""
    stage = stages()[name]
    asked = settings.of(stage)
    made = [(version, asked.decisive_before(version)) for version in asked.earlier()]
    versions = [(stage.code_version, decisive_settings(stage, settings)), *made]
    return tuple(fingerprint(name, version, decisive, before, files) for version, decisive in versions)


def _make(stage: AnyStage, workbench: Workbench, before: str, files: WeightFiles) -> Provenance:
    started, settings = time.perf_counter(), workbench.settings.of(stage)
    made_as, result_is = workbench.wanted, identity(workbench.wanted, before)
    workbench = replace(workbench, wanted=result_is, check_weights=partial(check_unchanged, settings, files))
    _restore_inputs(stage, workbench)
    with metered() as spent, stage.output.draft(workbench.video) as draft:
        result: StageResult = stage.fill(workbench, settings, draft)
        check_noted(result.weights, files)
        workbench.check_weights()
        made = Provenance(
            stage=stage.name,
            backend=result.backend,
            code_version=stage.code_version,
            settings=settings.decisive(),
            weights=dict(result.weights),
            fingerprint=made_as,
            upstream=before,
            seconds=round(time.perf_counter() - started, 3),
            cost=_cost(spent()),
            counts=dict(result.counts),
            left_out=result.left_out,
            notes=result.notes,
            beside=result.beside,
        )
        draft.attributes.update(made.model_dump(mode="json"))
    if stage.published is not None:
        stage.published(workbench)
    return made


def _cost(spent: Spent) -> Cost:
    return Cost(
        cpu_seconds=round(spent.cpu_seconds, 3), gpu_seconds=round(spent.gpu_seconds, 3), peak_bytes=spent.peak_bytes
    )


def _restore_inputs(stage: AnyStage, workbench: Workbench) -> None:
    for given in (stages()[name] for name in stage.inputs):
        if given.restore is not None:
            given.restore(workbench, workbench.settings.of(given))
