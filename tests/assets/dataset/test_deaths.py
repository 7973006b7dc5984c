"""Runs of processes that were killed: real processes, real kills."""

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from assets.dataset.deaths import dead_runs, deaths, note_death
from assets.resources import HOST_TAG, PARTITION_TAG, PipelineResource
from pipeline.contract.errors import BrokenVideo
from pipeline.stages.failures import last_failure, record_failure
from pipeline.stages.run import final_fingerprint
from pipeline.store.drafts import this_host
from tests.earlier import VIDEO, unpack_earlier_dataset


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


@dg.job(resource_defs={"pipeline": PipelineResource.configure_at_launch()})
def nothing() -> None:
    """Do nothing."""


def started_run(instance: dg.DagsterInstance, pid: int | None, tags: dict[str, str], data: Path) -> dg.DagsterRun:
    config = {"resources": {"pipeline": {"config": {"data": str(data)}}}}
    tags = {HOST_TAG: this_host(), **tags}
    run = instance.create_run_for_job(nothing, run_config=config, tags=tags, status=dg.DagsterRunStatus.STARTING)
    instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id)
    if pid is not None:
        instance.report_engine_event("Executing steps in process", run, EngineEventData.in_process(pid))
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    dead_runs(dg.build_sensor_context(instance))
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_is_closed_as_soon_as_its_process_is_gone(sleeper: "subprocess.Popen[bytes]", tmp_path: Path):
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, sleeper.pid, {}, tmp_path)
        assert status(instance, run) == dg.DagsterRunStatus.STARTED
        sleeper.kill()
        sleeper.wait()
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_another_process_with_the_number_of_a_dead_one_does_not_keep_its_run_open(tmp_path: Path):
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, None, {}, tmp_path)
        time.sleep(3)  # the number is given anew once the run is there; ages are known to a hundredth of a second
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as later:
            instance.report_engine_event("Executing steps in process", run, EngineEventData.in_process(later.pid))
            assert status(instance, run) == dg.DagsterRunStatus.FAILURE
            later.kill()


def test_a_run_of_another_machine_is_left_alone_unless_its_records_lie_in_files(tmp_path: Path):
    """Processes of other machines are not seen; files of SQLite are of one machine, whatever it was called before."""
    tags = {HOST_TAG: "elsewhere"}
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with dg.DagsterInstance.ephemeral() as instance:
        assert status(instance, started_run(instance, gone.pid, tags, tmp_path)) == dg.DagsterRunStatus.STARTED
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert status(instance, started_run(instance, gone.pid, tags, tmp_path)) == dg.DagsterRunStatus.FAILURE


def test_a_run_says_on_which_machine_it_is(tmp_path: Path):
    asked = dg.asset(name="asked", required_resource_keys={"pipeline"})(lambda: None)
    with dg.DagsterInstance.ephemeral() as instance:
        ended = dg.materialize([asked], instance=instance, resources={"pipeline": PipelineResource(data=str(tmp_path))})
        run = instance.get_run_by_id(ended.run_id)
    assert run is not None
    assert run.tags[HOST_TAG] == this_host()


def test_a_run_that_says_nothing_of_its_process_is_left_alone(tmp_path: Path):
    with dg.DagsterInstance.ephemeral() as instance:
        assert status(instance, started_run(instance, None, {}, tmp_path)) == dg.DagsterRunStatus.STARTED


def test_a_run_whose_video_is_held_lives_although_its_process_is_not_seen(
    sleeper: "subprocess.Popen[bytes]", tmp_path: Path
):
    sleeper.kill()
    sleeper.wait()
    video = PipelineResource(data=str(tmp_path)).store().video("tour-1")
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, sleeper.pid, {PARTITION_TAG: "tour-1"}, tmp_path)
        with video.locked():
            assert status(instance, run) == dg.DagsterRunStatus.STARTED
        assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_run_that_failed_without_a_word_is_remembered_once_by_its_video(tmp_path: Path):
    video = PipelineResource(data=str(tmp_path)).store().video("tour-1")
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, None, {PARTITION_TAG: "tour-1"}, tmp_path)
        instance.report_run_failed(run, "exit code -9")
        for _ in range(2):
            deaths(failure_of(instance, run))
    failure = last_failure(video)
    assert failure is not None
    assert (failure.code, failure.tries, failure.detail) == ("ProcessDied", 1, "exit code -9")


def test_what_a_stage_noted_of_the_same_run_stands(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path))
    video, settings = pipeline.store().video("tour-1"), pipeline.settings()
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance, None, {PARTITION_TAG: "tour-1"}, tmp_path)
        record_failure(video, "video", final_fingerprint("tour-1", settings), BrokenVideo("no frame"))
        instance.report_run_failed(run, "steps failed")
        deaths(failure_of(instance, run))
    failure = last_failure(video)
    assert failure is not None
    assert failure.code == "BrokenVideo"


def test_a_failure_of_an_earlier_run_does_not_hide_a_death(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path))
    video, settings = pipeline.store().video("tour-1"), pipeline.settings()
    record_failure(video, "video", final_fingerprint("tour-1", settings), BrokenVideo("no frame"))
    note_death(video, settings, time.time() + 2, "killed")
    failure = last_failure(video)
    assert failure is not None
    assert (failure.code, failure.tries) == ("ProcessDied", 2)


def test_a_built_video_has_no_death(tmp_path: Path):
    pipeline = PipelineResource(data=str(unpack_earlier_dataset(tmp_path)), sources="tour://5")
    note_death(pipeline.store().video(VIDEO), pipeline.settings(), 0.0, "killed")
    assert last_failure(pipeline.store().video(VIDEO)) is None


def failure_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.RunFailureSensorContext:
    (event,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert event.dagster_event is not None
    return dg.build_run_status_sensor_context("deaths", event.dagster_event, instance, run).for_run_failure()
