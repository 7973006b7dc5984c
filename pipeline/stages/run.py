"""Runs the seven stages of one video in order, doing only what settings, code or input have made stale."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

from pipeline.contract.errors import CorruptStore, StageMissing
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import mark_built
from pipeline.stages import bodies as stages
from pipeline.stages.bodies import Outcome, Seal, Workbench
from pipeline.stages.failures import forget_failure, record_failure
from pipeline.stages.indoor_clips.sky_rule import IndoorSettings
from pipeline.stages.reconstruction.colmap.settings import ReconstructSettings
from pipeline.store import rows as stored
from pipeline.store.files import VideoStore
from pipeline.store.provenance import Provenance, fingerprint


@dataclass(frozen=True)
class Stage:
    """One stage of a video: where its result lies, the settings that decide it, and the function that does it.

    group: name of its Zarr group, or None where it writes other files.
    code_version: raised by hand whenever the same input and settings would give another result.
    """

    name: str
    code_version: str
    settings: Callable[[Settings], dict[str, Any]]
    run: Callable[[Workbench, Seal], None]
    group: str | None = None


def of_backend(settings: IndoorSettings | ReconstructSettings) -> dict[str, Any]:
    """Return a stage's settings without those of the backends that were not chosen."""
    names = get_args(type(settings).model_fields["backend"].annotation)
    return settings.model_dump(mode="json", exclude=set(names) - {settings.backend})


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("video", "1", lambda s: s.download.decisive(), stages.fetch_video),
        Stage("clips", "1", lambda s: s.scenes.model_dump(mode="json"), stages.cut_clips),
        Stage("indoor_clips", "1", lambda s: of_backend(s.indoor), stages.keep_indoor, "frames"),
        Stage(
            "reconstruction",
            "1",
            lambda s: of_backend(s.reconstruct),
            stages.reconstruct_clips,
            "reconstruction",
        ),
        Stage("scene", "2", lambda s: s.metric.model_dump(mode="json"), stages.make_metric, "scene"),
        Stage("semantics", "2", lambda s: s.semantics.decisive(), stages.label_frames, "semantics"),
        Stage("occupancy", "1", lambda s: s.voxelize.model_dump(mode="json"), stages.fill_grids, "occupancy"),
    )
}


@dataclass(frozen=True)
class StageReport:
    """What a stage did: its provenance, and whether an earlier result was good enough."""

    provenance: Provenance
    reused: bool


def process_video(bench: Workbench) -> Iterator[StageReport]:
    """Run all stages of one video, holding its lock; yields a report after each.

    A failure is noted in the video's ``failure.json`` and raised; a success clears the note.

    Raises:
        VideoError: the video cannot be built; the message says why and what to do.
    """
    with bench.video.locked():
        for name in STAGES:
            yield run_stage(name, bench)
        finish_video(bench)


def finish_video(bench: Workbench) -> None:
    """Note that a video is built; its source goes where ``dataset.keep_videos`` says that frames are enough."""
    forget_failure(bench.video)
    mark_built(bench.video, final_fingerprint(bench.video.video_id, bench.settings))
    if not bench.settings.dataset.keep_videos:
        bench.video.remove("source.mp4")


def run_stage(name: str, bench: Workbench) -> StageReport:
    """Run one stage, or reuse its stored result if it is what today's settings, code and input would give.

    Raises:
        StageMissing: the stage before it has not been run.
        VideoError: the stage failed; also noted in the video's ``failure.json``.
    """
    stage, wanted = STAGES[name], _fingerprint_now(name, bench)
    stored = provenance(bench.video, name)
    if stored and stored.fingerprint == wanted:
        return StageReport(stored, reused=True)
    try:
        made = _make(stage, replace(bench, wanted=wanted))
    except Exception as error:
        if isinstance(error, CorruptStore):
            drop_damaged(bench.video, error)
        record_failure(bench.video, name, final_fingerprint(bench.video.video_id, bench.settings), error)
        raise
    return StageReport(made, reused=False)


def drop_damaged(video: VideoStore, error: CorruptStore) -> None:
    """Delete the group that does not read back and the last one, so that the video is unfinished and built again."""
    if error.group:
        video.drop_group("occupancy")
        video.drop_group(error.group)


def provenance(video: VideoStore, name: str) -> Provenance | None:
    """Return what a stage noted about its stored result, or None where there is no result or a damaged one."""
    try:
        content = _noted(video, name)
        return Provenance.model_validate(content) if content else None
    except (CorruptStore, KeyError, ValueError):
        return None


def final_fingerprint(video_id: str, settings: Settings) -> str:
    """Return the fingerprint of a finished video under these settings and this code: that of its last stage."""
    chain = video_id
    for name in STAGES:
        chain = _fingerprint(name, settings, chain)
    return chain


def is_built(video: VideoStore, settings: Settings) -> bool:
    """Tell whether a video has all its results, made with these settings and this code."""
    found = provenance(video, "occupancy")
    return found is not None and found.fingerprint == final_fingerprint(video.video_id, settings)


def _noted(video: VideoStore, name: str) -> dict[str, Any] | None:
    group = STAGES[name].group
    if group:
        return video.attributes(group) if video.has_group(group) else None
    if name == "video":
        return dict(video.read_json("source.json")["provenance"]) if video.exists("source.json") else None
    return stored.clips_metadata(video) if video.exists("clips.parquet") else None


def _fingerprint_now(name: str, bench: Workbench) -> str:
    previous = _previous(name)
    if previous is None:
        return _fingerprint(name, bench.settings, bench.video.video_id)
    found = provenance(bench.video, previous)
    if found is None:
        message = f"{bench.video.video_id}: stage {name!r} needs {previous!r}, which has not been run"
        raise StageMissing(message)
    return _fingerprint(name, bench.settings, found.fingerprint)


def _fingerprint(name: str, settings: Settings, upstream: str) -> str:
    stage = STAGES[name]
    return fingerprint(name, stage.code_version, stage.settings(settings), upstream)


def _previous(name: str) -> str | None:
    names = list(STAGES)
    return names[names.index(name) - 1] if name != names[0] else None


def _make(stage: Stage, bench: Workbench) -> Provenance:
    started, made = time.perf_counter(), []

    def seal(outcome: Outcome) -> dict[str, Any]:
        made.append(
            Provenance(
                stage=stage.name,
                backend=outcome.backend,
                code_version=stage.code_version,
                settings=stage.settings(bench.settings),
                weights=dict(outcome.weights),
                fingerprint=bench.wanted,
                seconds=round(time.perf_counter() - started, 3),
                counts=dict(outcome.counts),
                left_out=outcome.left_out,
                notes=outcome.notes,
            )
        )
        return made[-1].model_dump(mode="json")

    stage.run(bench, seal)
    return made[-1]
