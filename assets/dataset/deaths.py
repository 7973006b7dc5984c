"""Runs whose processes were killed: they are closed, and their videos remember that they died without a word."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.runs import SqliteRunStorage

from assets.resources import HOST_TAG, PARTITION_TAG, PipelineResource
from pipeline.contract.errors import PipelineError
from pipeline.settings import Settings
from pipeline.stages.failures import last_failure, record_death
from pipeline.stages.run import final_fingerprint, is_built
from pipeline.store.drafts import this_host
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

RUNNING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
CLOSED = "its process is gone: killed, out of memory, or the machine was restarted"
SAYS_WHERE_S = 60.0
"""Within this time a run says on which machine it is; who has not was killed before it could."""

CLOCK_SLACK_S = 2.0
"""A process is as old as the kernel's ticks say, a run as old as the wall clock does."""


def note_death(video: VideoStore, settings: Settings, started: float, detail: str) -> None:
    """Note that a build which began at ``started`` (seconds since 1970) ended without a word; others have noted why."""
    failure, begun = last_failure(video), datetime.fromtimestamp(int(started), UTC)
    is_noted = failure is not None and datetime.fromisoformat(failure.when) >= begun
    if not is_noted and not is_built(video, settings):
        record_death(video, final_fingerprint(video.video_id, settings), detail)


@dg.run_failure_sensor(
    name="deaths",
    description="Remember videos whose run died, so that they are not tried for ever.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def deaths(context: dg.RunFailureSensorContext) -> None:
    """Note the death of a failed run's video, unless a stage has noted why it failed."""
    run = context.dagster_run
    record = context.instance.get_run_record_by_id(run.run_id)
    if PARTITION_TAG not in run.tags or record is None or record.start_time is None or _is_of_a_block(run):
        return
    pipeline = pipeline_of(run)
    video = pipeline.store().video(run.tags[PARTITION_TAG])
    note_death(video, pipeline.settings(), record.start_time, context.failure_event.message or CLOSED)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Close runs whose processes are gone, which would take the place of others for ever.",
)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Report as failed what a killed process of this machine left running.

    Dagster's own launcher asks nobody whether a run lives on once the server that started it is gone, nor whether one
    of ``dagster job execute`` does.
    """
    records = context.instance.get_run_records(dg.RunsFilter(statuses=RUNNING))
    here = [record for record in records if _is_here(context.instance, record)]
    dead = [record.dagster_run for record in here if _is_dead(context.instance, record)]
    for run in dead:
        context.instance.report_run_failed(run, CLOSED)
    return dg.SkipReason(f"{len(dead)} of {len(records)} runs were dead")


def _is_of_a_block(run: dg.DagsterRun) -> bool:
    """Tell whether a run is of many videos, each of which notes its own end."""
    return run.job_name == "build_block" or dg.AssetKey("video_block") in (run.asset_selection or ())


def pipeline_of(run: dg.DagsterRun) -> PipelineResource:
    """Return the resource that a run was given."""
    given: Any = run.run_config
    return PipelineResource.model_validate(given.get("resources", {}).get("pipeline", {}).get("config", {}))


def _is_here(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Tell whether a run is on this machine, as all are whose records lie in files; it says so when it has begun."""
    if isinstance(instance.run_storage, SqliteRunStorage):
        return True
    host, begun = record.dagster_run.tags.get(HOST_TAG), record.start_time or 0.0
    return host == this_host() or (host is None and time.time() - begun > SAYS_WHERE_S)


def _is_dead(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Tell whether nobody works on a run any more; of one that says nothing of its process nobody knows."""
    events = instance.all_logs(record.dagster_run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    noted = [event.dagster_event.engine_event_data.metadata for event in events if event.dagster_event]
    pids = [int(str(entries["pid"].value)) for entries in noted if "pid" in entries]
    lives = any(_lives(pid, record.start_time) for pid in pids)
    return bool(pids) and not lives and not _is_held(record.dagster_run)


def _lives(pid: int, since: float | None) -> bool:
    """Tell whether a process that worked on a run is there, and not another one that was given its number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    began = _began(pid)
    return began is None or since is None or began <= since + CLOCK_SLACK_S


def _began(pid: int) -> float | None:
    """Return when a process began, seconds since 1970, or None where the system does not tell."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        up = next(
            line for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines() if line.startswith("btime")
        )
    except (OSError, StopIteration):
        return None
    return int(up.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


def _is_held(run: dg.DagsterRun) -> bool:
    """Tell whether somebody holds the video of a run, be it in another container, where processes are not seen."""
    if PARTITION_TAG not in run.tags:
        return False
    try:
        store: Store = pipeline_of(run).store()
        return store.video(run.tags[PARTITION_TAG]).is_held()
    except PipelineError:
        return False
