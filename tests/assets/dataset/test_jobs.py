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
from pipeline.stages.run import final_fingerprint


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


def test_the_sensor_requests_what_is_missing_and_again_only_when_something_changed(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1")
    store, settings = pipeline.store(), pipeline.settings()
    Catalog(store).add(read_sources("tour://1 tour://2"))
    broken = store.video("tour-2")
    record_failure(broken, "video", final_fingerprint("tour-2", settings), BrokenVideo("no frame"))
    first, second = _requests(pipeline), _requests(pipeline)
    assert [(request.partition_key, request.run_key) for request in first] == [("tour-1", second[0].run_key)]
    record_death(store.video("tour-1"), final_fingerprint("tour-1", settings), "killed")
    assert _requests(pipeline)[0].run_key != first[0].run_key
    for _ in range(settings.dataset.give_up_after):
        record_death(store.video("tour-1"), final_fingerprint("tour-1", settings), "killed")
    assert _requests(pipeline) == []


def _requests(pipeline: PipelineResource) -> list[dg.RunRequest]:
    with dg.DagsterInstance.ephemeral() as instance:
        found = new_videos(dg.build_sensor_context(instance, resources={"pipeline": pipeline}))
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


def test_sources_are_polled_when_the_settings_say():
    assert poll_schedule.cron_schedule == PipelineResource.from_environment().settings().dataset.poll_cron
    assert [node.name for node in definitions.resolve_job_def("poll_sources").nodes_in_topological_order] == [
        "video_catalog"
    ]
