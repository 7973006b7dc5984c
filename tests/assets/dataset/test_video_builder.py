"""Builds by workers; those here are small programs that end as builds of videos may end."""

import json
import os
import signal
import threading
from pathlib import Path

import dagster as dg
import psutil
import pytest

from assets.dataset.video_builder import VideoBuilder
from assets.pools import local, pool
from assets.pools.base import VideoBuild
from assets.resources import PARTITION_TAG, PipelineResource
from assets.stopped import BUILT_BY
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.stages.failures import last_failure
from pipeline.store.store import Store
from tests.assets.pools.workers import BEGIN, workers_with
from tests.earlier import VIDEO, unpack_earlier_dataset

TAGS = {PARTITION_TAG: "tour-6", BUILT_BY: "a-run"}
FROM_HERE = """
while (order := channel.recv()) is not None:
    {}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineResource:
    data = unpack_earlier_dataset(tmp_path)
    Catalog(Store(data)).add(read_sources("tour://6 tour://7 tour://8"))
    one = {"dataset": {"parallel_videos": 1, "videos_per_worker": 2}}
    return PipelineResource(data=str(data), sources="tour://5", overrides=one)


@pytest.fixture
def builder(pipeline: PipelineResource) -> VideoBuilder:
    return VideoBuilder(pipeline, dg.DagsterInstance.ephemeral(), "a-run")


def each(code: str) -> str:
    """A worker that does this for every order."""
    return BEGIN + FROM_HERE.format(code)


def detail_of(builder: VideoBuilder, video_id: str) -> str:
    (ended,) = builder.build([video_id])
    assert not ended.built
    return ended.detail


def test_a_video_that_is_built_costs_no_worker(builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch):
    workers_with(monkeypatch, None)
    assert list(builder.build([VIDEO])) == [VideoBuild(VIDEO, built=True, detail="")]


@pytest.mark.parametrize("end", ["sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_worker_that_dies_is_remembered_with_its_code_and_replaced(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch, end: str, capsys: pytest.CaptureFixture[str]
):
    workers_with(monkeypatch, each(end))
    ended = {build.video_id: build for build in builder.build(["tour-6", "tour-7", VIDEO])}
    code = 3 if "exit" in end else -signal.SIGKILL
    died = f"process: ProcessDied: its process ended with code {code} before it was done"
    assert [ended[name].detail for name in ("tour-6", "tour-7")] == [died, died]
    assert ended[VIDEO].built
    failure = last_failure(builder.pipeline.store().video("tour-6"))
    assert failure is not None
    assert (failure.code, failure.tries) == ("ProcessDied", 1)
    assert f"{'tour-6':<16} left out: process: ProcessDied" in capsys.readouterr().out


def test_a_worker_that_dies_before_it_is_ready_is_remembered_too(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch
):
    workers_with(monkeypatch, "raise SystemExit(5)")
    assert "ended with code 5" in detail_of(builder, "tour-6")


def test_a_worker_that_never_gets_ready_is_given_up(builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local, "START_S", 0.5)
    workers_with(monkeypatch, "import time; time.sleep(3600)")
    assert "was not ready after" in detail_of(builder, "tour-6")


def test_a_worker_that_closes_the_channel_and_lives_on_is_ended(builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local, "LEAVE_S", 0.5)
    workers_with(monkeypatch, each("channel.close(); os.close(0); time.sleep(3600)"))
    assert f"ended with code {-signal.SIGKILL}" in detail_of(builder, "tour-6")


def test_what_a_worker_prints_is_not_taken_for_an_answer(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    workers_with(monkeypatch, each("print('hello', flush=True); channel.send({'error': 'no run'})"))
    assert detail_of(builder, "tour-6") == "process: ProcessDied: no run"
    assert "hello" in capfd.readouterr().out


def test_a_worker_stays_for_so_many_videos_unless_it_is_worn(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    note = f"print(os.getpid(), file=open({str(tmp_path / 'pids')!r}, 'a'), flush=True); "
    for worn, different in ((False, 2), (True, 3)):
        workers_with(monkeypatch, each(note + f"channel.send({{'worn': {worn}}})"))
        list(builder.build(["tour-6", "tour-7", "tour-8"]))
        pids = (tmp_path / "pids").read_text().split()
        assert len(pids) == 3
        assert len(set(pids)) == different
        assert not any(psutil.pid_exists(int(pid)) for pid in pids), "all have left"
        (tmp_path / "pids").unlink()


def test_a_worker_is_given_partition_run_and_the_settings_of_its_parent(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    place = tmp_path / "order"
    note = f"import json; json.dump([order['run_config'], order['tags']], open({str(place)!r}, 'w')); sys.exit()"
    workers_with(monkeypatch, each(note))
    list(builder.build(["tour-6"]))
    config, tags = json.loads(place.read_text())
    assert tags == TAGS
    assert config["resources"] == builder.pipeline.run_config()["resources"]
    assert config["loggers"]["console"]["config"]["log_level"] == "CRITICAL"


def test_a_run_that_its_dead_worker_left_open_is_closed(pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch):
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance)
        workers_with(monkeypatch, each("sys.exit(1)"))
        list(VideoBuilder(pipeline, instance, "a-run").build(["tour-6"]))
        closed = instance.get_run_by_id(run.run_id)
    assert closed is not None
    assert closed.status == dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("has_run", [True, False])
def test_stopping_ends_what_is_being_built_and_starts_nothing_more(
    pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_run: bool
):
    monkeypatch.setattr(pool, "GRACE_S", 0.2)
    started = tmp_path / "started"
    os.mkfifo(started)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    workers_with(monkeypatch, each(deaf + f"open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(3600)"))
    with dg.DagsterInstance.ephemeral() as instance:
        run = started_run(instance) if has_run else None
        builder = VideoBuilder(pipeline, instance, "a-run")
        ended: list[VideoBuild] = []
        building = threading.Thread(target=lambda: ended.extend(builder.build(["tour-6", "tour-7"])), daemon=True)
        building.start()
        process = psutil.Process(int(started.read_text()))
        builder.stop()
        assert not process.is_running()
        assert run is None or instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELED
    assert [build.video_id for build in ended] in ([], ["tour-6"]), "the other was never begun"
    assert last_failure(pipeline.store().video("tour-6")) is None, "nobody's fault"


def started_run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.create_run_for_job(nothing, tags=TAGS, status=dg.DagsterRunStatus.STARTED)


@dg.job
def nothing() -> None:
    """Do nothing."""
