"""A real worker, in a home of its own: what it answers, what it leaves behind, and how it ends with whom it serves."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from assets.pools.base import Order, Outcome, WorkerDied
from assets.pools.local import LocalWorker
from assets.resources import PARTITION_TAG
from assets.stopped import BUILT_BY
from tests.assets.workplace import Workplace
from tests.paths import ROOT

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
HIRE = """
import time
from assets.pools.local import LocalWorker
worker = LocalWorker()
while not worker.ready(1):
    pass
print(worker._process.pid, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    (tmp_path / "broken.mp4").write_text("this is no video")
    found = Workplace(tmp_path, str(tmp_path / "broken.mp4"))
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def worker(place: Workplace) -> Iterator[LocalWorker]:
    del place
    hired = LocalWorker()
    while not hired.ready(1):
        pass
    yield hired
    hired.kill()


def made(worker: LocalWorker, video_id: str) -> Outcome:
    worker.begin(Order(QUIET, {PARTITION_TAG: video_id, BUILT_BY: "a-run"}))
    while (answer := worker.answer(1)) is None:
        pass
    return answer


def test_a_worker_makes_one_run_after_the_other_and_leaves_when_told(
    place: Workplace, worker: LocalWorker, capfd: pytest.CaptureFixture[str]
):
    pid = worker._process.pid
    assert made(worker, "nobody-knows-1") == Outcome()
    assert made(worker, "nobody-knows-2") == Outcome(), "a run that fails is no reason to go"
    assert worker._process.pid == pid
    worker.leave()
    assert worker._process.returncode == 0
    with place.instance as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="process_video"))
        assert [run.status for run in runs] == [dg.DagsterRunStatus.FAILURE] * 2
        assert {run.tags[PARTITION_TAG] for run in runs} == {"nobody-knows-1", "nobody-knows-2"}
        assert {run.tags[BUILT_BY] for run in runs} == {"a-run"}
        assert all(run.tags[".dagster/repository"] == "__repository__@assets" for run in runs), "the pages of jobs"
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_order_that_makes_no_run_is_told_in_a_line(worker: LocalWorker):
    worker.begin(Order({"resources": {"pipeline": {"config": {"nonsense": 1}}}}, {}))
    while (answer := worker.answer(1)) is None:
        pass
    assert answer.worn
    assert "nonsense" in answer.error
    assert "\n" not in answer.error


def test_a_worker_that_is_killed_is_told(worker: LocalWorker):
    worker._process.send_signal(signal.SIGKILL)
    with pytest.raises(WorkerDied, match="code -9"):
        made(worker, "tour-1")


def test_a_worker_ends_with_whom_it_serves_also_when_that_one_is_killed(place: Workplace):
    with subprocess.Popen(
        [sys.executable, "-c", HIRE], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=place.environment
    ) as parent:
        worker = psutil.Process(int(parent.stdout.readline() if parent.stdout else ""))
        parent.kill()
    end = time.monotonic() + 60
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:  # nobody may be there to bury it
        assert time.monotonic() < end
        time.sleep(0.05)
