"""A run that is interrupted, in a process of its own, as a user's "Terminate" interrupts it."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterExecutionInterruptedError

from assets import stopped
from assets.launcher import RunLauncher
from assets.stopped import BUILT_BY, STOPPED, Terminated, ends_when_terminated, terminated_in_one_line
from tests.assets.workplace import TINY_TOUR, Workplace, finish


@dg.op
def interrupted() -> None:
    with terminated_in_one_line():
        raise DagsterExecutionInterruptedError


@dg.job
def stopping() -> None:
    interrupted()


def test_an_interrupt_is_one_line_without_a_stack():
    with dg.DagsterInstance.ephemeral() as instance:
        result = stopping.execute_in_process(instance=instance, raise_on_error=False)
        events = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert not result.success
    (failed,) = [event.dagster_event for event in events if event.dagster_event]
    error = failed.step_failure_data.error
    assert error is not None
    assert (error.message.strip(), error.stack, error.cause) == (STOPPED, [], None)


def test_what_is_no_interrupt_is_shown_in_full():
    with pytest.raises(ValueError, match="wrong"), terminated_in_one_line():
        raise ValueError("wrong")


def test_an_interrupt_that_was_heard_is_not_sent_again_however_long_the_end_takes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stopped, "SECONDS_BETWEEN_LOOKS", 0.05)
    monkeypatch.setattr(stopped, "SECONDS_UNTIL_AGAIN", 0.05)
    heard = []

    def interrupt(*_: object) -> None:
        heard.append(len(heard))
        if len(heard) > 1:  # the first is lost, as libraries that are loading lose it
            raise DagsterExecutionInterruptedError

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with dg.DagsterInstance.ephemeral() as instance:
            tags, status = {BUILT_BY: "another run"}, dg.DagsterRunStatus.CANCELING
            run = instance.create_run_for_job(stopping, tags=tags, status=status)
            with ends_when_terminated(instance, run):
                with pytest.raises(Terminated), terminated_in_one_line():
                    threading.Event().wait(60)
                threading.Event().wait(1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [0, 1]


class _Falling:
    """Raises where nothing can be raised: while it is collected."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __del__(self) -> None:
        raise self.error


def test_an_interrupt_that_is_lost_leaves_no_stack_trace_and_every_other_error_does(monkeypatch: pytest.MonkeyPatch):
    shown: list[type] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: shown.append(found.exc_type))
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(stopping, tags={BUILT_BY: "another run"})
        with ends_when_terminated(instance, run):
            for error in (DagsterExecutionInterruptedError(), KeyboardInterrupt(), ValueError("wrong")):
                _Falling(error)
            assert shown == [ValueError]
        _Falling(KeyboardInterrupt())
    assert shown == [ValueError, KeyboardInterrupt]


CANCELED, STARTED = dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.STARTED


def _statuses(instance: dg.DagsterInstance, job: str) -> list[dg.DagsterRunStatus]:
    return [run.status for run in instance.get_runs(dg.RunsFilter(job_name=job))]


def _wait_until(holds: Callable[[], bool], build: "subprocess.Popen[str]") -> None:
    """Wait as long as the build lives; whatever ended it is shown."""
    while not holds():
        assert build.poll() is None, finish(build).text
        time.sleep(0.2)


def test_pages_end_runs_of_the_command_line_and_the_videos_that_those_build(tmp_path: Path):
    place = Workplace(tmp_path, "tour://3 tour://4")
    long = {**TINY_TOUR, "shot_seconds": 30.0}  # neither ends by itself before it is told to
    place.settings_file.write_text(json.dumps({"video": {"tour": long}}))
    build = place.start("job", "execute", "-j", "build_dataset")
    with place.instance as instance:
        assert isinstance(instance.run_launcher, RunLauncher)
        _wait_until(lambda: _statuses(instance, "process_video") == [STARTED, STARTED], build)
        one, other = instance.get_runs(dg.RunsFilter(job_name="process_video"))
        assert instance.run_launcher.terminate(one.run_id), "a video of the build"
        _wait_until(lambda: instance.get_run_by_id(one.run_id).status is CANCELED, build)
        assert instance.get_run_by_id(other.run_id).status is STARTED, "the other goes on"
        (parent,) = instance.get_runs(dg.RunsFilter(job_name="build_dataset"))
        assert instance.run_launcher.terminate(parent.run_id)
        ended = finish(build)
        assert ended.code != 0
        assert _statuses(instance, "build_dataset") == [CANCELED]
        assert _statuses(instance, "process_video") == [CANCELED, CANCELED]
        assert not instance.run_launcher.terminate(parent.run_id), "it has ended"
    assert STOPPED in ended.text
    assert "left out: its run was terminated" in ended.text
    assert "Traceback" not in ended.text
    assert [place.failure("tour-3"), place.failure("tour-4")] == [None, None], "nobody's fault"
