"""Builds in processes of their own; those here are small programs that end as builds of videos may end."""

import os
import signal
import sys
from pathlib import Path

import dagster as dg
import psutil
import pytest

from assets.dataset import video_builder
from assets.dataset.video_builder import BUILT_BY, VideoBuild, VideoBuilder
from assets.resources import PARTITION_TAG, PipelineResource
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.stages.failures import last_failure
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset

NOTE = "import json, sys, pathlib; place = pathlib.Path({place!r}); "
ARGUMENTS = "(place / 'arguments').write_text(json.dumps(sys.argv[1:])); "
CONFIG = "(place / 'config').write_text(pathlib.Path(sys.argv[4]).read_text()); "


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineResource:
    data = unpack_earlier_dataset(tmp_path)
    Catalog(Store(data)).add(read_sources("tour://6 tour://7"))
    return PipelineResource(data=str(data), sources="tour://5")


@pytest.fixture
def builder(pipeline: PipelineResource) -> VideoBuilder:
    return VideoBuilder(pipeline, dg.DagsterInstance.ephemeral(), "a-run")


def builds_with(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(video_builder, "PROCESS_VIDEO", (sys.executable, "-c", code))


def test_a_video_that_is_built_starts_no_process(builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(video_builder, "PROCESS_VIDEO", ("/no/such/program",))
    builder.start(VIDEO)
    assert builder.wait(VIDEO) == VideoBuild(VIDEO, built=True, detail="")


@pytest.mark.parametrize("end", ["sys.exit(3)", f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"])
def test_a_process_that_dies_is_remembered_with_its_code_and_reaches_no_other(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch, end: str, capsys: pytest.CaptureFixture[str]
):
    builds_with(monkeypatch, f"import sys; {end}")
    for video_id in ("tour-6", VIDEO):
        builder.start(video_id)
    ended = builder.wait("tour-6")
    code = 3 if "exit" in end else -signal.SIGKILL
    assert not ended.built
    assert ended.detail == f"process: ProcessDied: its process ended with code {code} before it was done"
    assert builder.wait(VIDEO).built
    failure = last_failure(builder.pipeline.store().video("tour-6"))
    assert failure is not None
    assert (failure.code, failure.tries) == ("ProcessDied", 1)
    assert f"{'tour-6':<16} left out: process: ProcessDied" in capsys.readouterr().out


def test_a_process_is_given_its_partition_its_run_and_the_settings_of_its_parent(
    builder: VideoBuilder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    import json

    builds_with(monkeypatch, NOTE.format(place=str(tmp_path)) + ARGUMENTS + CONFIG)
    builder.start("tour-6")
    builder.wait("tour-6")
    arguments = json.loads((tmp_path / "arguments").read_text())
    assert arguments[0] == "--tags"
    assert json.loads(arguments[1]) == {PARTITION_TAG: "tour-6", BUILT_BY: "a-run"}
    config = json.loads((tmp_path / "config").read_text())
    assert config["resources"] == builder.pipeline.run_config()["resources"]
    assert config["loggers"]["console"]["config"]["log_level"] == "CRITICAL"
    assert not Path(arguments[3]).exists(), "the file of the configuration is removed"


def test_a_run_that_its_dead_process_left_open_is_closed(pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch):
    @dg.job
    def nothing() -> None:
        """Do nothing."""

    with dg.DagsterInstance.ephemeral() as instance:
        builder = VideoBuilder(pipeline, instance, "a-run")
        tags = {PARTITION_TAG: "tour-6", BUILT_BY: "a-run"}
        run = instance.create_run_for_job(nothing, tags=tags, status=dg.DagsterRunStatus.STARTED)
        builds_with(monkeypatch, "raise SystemExit(1)")
        builder.start("tour-6")
        builder.wait("tour-6")
        closed = instance.get_run_by_id(run.run_id)
    assert closed is not None
    assert closed.status == dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("obeys", [True, False])
def test_stopping_ends_what_is_being_built_and_starts_nothing_more(
    pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, obeys: bool
):
    monkeypatch.setattr(video_builder, "GRACE_S", 3600.0 if obeys else 0.2)
    answer = "SIG_DFL" if obeys else "SIG_IGN"
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.{answer}); "
    lonely = pipeline.model_copy(update={"overrides": {"dataset": {"parallel_videos": 1}}})
    builder = VideoBuilder(lonely, dg.DagsterInstance.ephemeral(), "a-run")
    started = tmp_path / "started"
    os.mkfifo(started)
    builds_with(
        monkeypatch, deaf + f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(3600)"
    )
    builder.start("tour-6")
    builder.start("tour-7")
    process = psutil.Process(int(started.read_text()))
    builder.stop()
    process.wait()
    assert not builder.wait("tour-6").built
    assert builder._builds["tour-7"].cancelled()
