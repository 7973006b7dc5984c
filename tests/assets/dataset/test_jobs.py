import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
import pytest

from assets import definitions
from assets.dataset.jobs import new_videos, poll_schedule
from assets.resources import PipelineResource
from pipeline.contract.errors import BrokenVideo
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.stages.failures import record_death, record_failure
from pipeline.stages.needed_weights import missing_weights
from pipeline.stages.run import final_fingerprint
from tests.paths import ROOT

FOUR = "tour://1 tour://2 tour://3 tour://4"


def test_build_dataset_takes_no_partition_and_ends_with_the_quality_report():
    job = definitions.resolve_job_def("build_dataset")
    assert job.partitions_def is None
    assert [node.name for node in job.nodes_in_topological_order][-1] == "quality_report"
    assert definitions.resolve_job_def("process_video").partitions_def is not None


def test_nothing_starts_building_because_the_ui_was_opened():
    for name in ("new_videos", "poll_sources", "refusing_hosts"):
        found = [*definitions.sensors, *definitions.schedules]
        status = next(item.default_status for item in found if item.name == name)
        assert status.value == "STOPPED"


def test_the_sensor_requests_what_is_missing_and_worth_trying(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1")
    store, settings = pipeline.store(), pipeline.settings()
    Catalog(store).add(read_sources("tour://1 tour://2"))
    broken = store.video("tour-2")
    record_failure(broken, "video", final_fingerprint("tour-2", settings), BrokenVideo("no frame"))
    assert [request.partition_key for request in _requests(pipeline)] == ["tour-1"]
    for _ in range(settings.dataset.give_up_after):
        record_death(store.video("tour-1"), final_fingerprint("tour-1", settings), "killed")
    assert _requests(pipeline) == []


def test_a_video_is_requested_again_however_its_run_ended_and_not_while_it_goes_on(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1")
    Catalog(pipeline.store()).add(read_sources("tour://1"))
    with dg.DagsterInstance.ephemeral() as instance:
        keys = []
        for ended in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.SUCCESS):
            (request,) = _requests(pipeline, instance)
            keys.append(request.run_key)
            run = _run_of(instance, request, dg.DagsterRunStatus.STARTED)
            assert _requests(pipeline, instance) == []
            instance.delete_run(run.run_id)
            _run_of(instance, request, ended)
        assert len(set(keys)) == 3


def test_a_run_that_was_deleted_does_not_make_a_key_come_twice(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1")
    Catalog(pipeline.store()).add(read_sources("tour://1"))
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [_run_of(instance, _requests(pipeline, instance)[0], dg.DagsterRunStatus.FAILURE) for _ in range(3)]
        instance.delete_run(runs[1].run_id)
        (request,) = _requests(pipeline, instance)
        assert request.run_key not in {run.tags["dagster/run_key"] for run in runs}


def test_what_is_under_way_counts_towards_the_most_that_are_requested(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources=FOUR, overrides={"dataset": {"requests_per_tick": 2}})
    Catalog(pipeline.store()).add(read_sources(FOUR))
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = _requests(pipeline, instance)
        _run_of(instance, first, dg.DagsterRunStatus.NOT_STARTED)
        (third,) = _requests(pipeline, instance)
        assert third.partition_key == second.partition_key
        _run_of(instance, second, dg.DagsterRunStatus.STARTED)
        assert _requests(pipeline, instance) == []


def _run_of(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    """What the daemon makes of a request."""
    tags = {
        "dagster/partition": str(request.partition_key),
        "dagster/sensor_name": "new_videos",
        "dagster/run_key": str(request.run_key),
    }
    return instance.create_run_for_job(_nothing, tags=tags, status=status)


@dg.job
def _nothing() -> None:
    """Do nothing."""


def _requests(pipeline: PipelineResource, instance: dg.DagsterInstance | None = None) -> list[dg.RunRequest]:
    with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as asked:
        found = new_videos(dg.build_sensor_context(asked, resources={"pipeline": pipeline}))
    assert isinstance(found, dg.SensorResult)
    return list(found.run_requests or [])


def test_new_rows_of_the_catalog_become_partitions_once(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1")
    Catalog(pipeline.store()).add(read_sources("tour://1 tour://2"))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("videos", ["tour-1"])
        found = new_videos(dg.build_sensor_context(instance, resources={"pipeline": pipeline}))
        assert isinstance(found, dg.SensorResult)
        (added,) = found.dynamic_partitions_requests or []
        assert list(added.partition_keys) == ["tour-2"]
        instance.add_dynamic_partitions("videos", ["tour-2"])
        again = new_videos(dg.build_sensor_context(instance, resources={"pipeline": pipeline}))
    assert isinstance(again, dg.SensorResult)
    assert not again.dynamic_partitions_requests


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_runs_are_requested_at_a_time_than_the_settings_say(tmp_path: Path, most: int):
    pipeline = PipelineResource(
        data=str(tmp_path),
        sources="tour://1 tour://2 tour://3 tour://4",
        overrides={"dataset": {"requests_per_tick": most}},
    )
    Catalog(pipeline.store()).add(read_sources("tour://1 tour://2 tour://3 tour://4"))
    assert len(_requests(pipeline)) == most


def test_while_weights_are_missing_one_run_is_requested_to_fetch_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "weights"))
    pipeline = PipelineResource(
        data=str(tmp_path / "data"), sources=FOUR, overrides={"indoor_clips": {"backend": "places365"}}
    )
    Catalog(pipeline.store()).add(read_sources(FOUR))
    with dg.DagsterInstance.ephemeral() as instance:
        (first,) = _requests(pipeline, instance)
        _run_of(instance, first, dg.DagsterRunStatus.STARTED)
        assert _requests(pipeline, instance) == [], "the one run that fetches is underway"
    (one,) = missing_weights(pipeline.settings())
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / one.file_name).write_bytes(b"arrived")
    assert len(_requests(pipeline)) == 4


def test_sources_are_polled_when_the_settings_say():
    assert poll_schedule.cron_schedule == PipelineResource.from_environment().settings().dataset.poll_cron
    assert [node.name for node in definitions.resolve_job_def("poll_sources").nodes_in_topological_order] == [
        "video_catalog"
    ]


@pytest.mark.parametrize("cron", ["every hour", "[1", "99 * * * *"])
def test_a_typo_keeps_nothing_from_loading_and_is_said_at_the_tick(tmp_path: Path, cron: str):
    (tmp_path / "settings.yaml").write_text(f"dataset: {{poll_cron: {cron}}}")
    asked = (
        "import dagster as dg; from assets import definitions; from assets.dataset.jobs import poll_schedule; "
        "print(poll_schedule.cron_schedule, flush=True); poll_schedule(dg.build_schedule_context())"
    )
    variables = {**os.environ, "YOUTUBE_OCC_SETTINGS": "settings.yaml", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "0 * * * *"
    assert ran.returncode == 1
    assert "SettingsError" in ran.stderr.splitlines()[-1]
