"""The definitions load quickly, name what the README names, and say in plain words what a user did wrong."""

import json
import os
from pathlib import Path

import dagster as dg
import pytest

from assets import definitions
from assets.dataset.jobs import new_videos
from assets.metadata import PREVIEW_BYTES, picture, table
from assets.resources import PipelineResource
from pipeline.contract.errors import BrokenVideo, SettingsError
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.stages.failures import record_death, record_failure
from pipeline.stages.registry import stages
from pipeline.stages.run import final_fingerprint


def test_every_stage_is_an_asset_partitioned_by_video_and_depends_on_the_stage_before():
    graph = definitions.resolve_asset_graph()
    names = list(stages())
    for before, name in zip([None, *names], names, strict=False):
        node = graph.get(dg.AssetKey(name))
        assert node.partitions_def is not None
        assert node.partitions_def.name == "videos"
        assert node.code_version == stages()[name].code_version
        assert {key.to_user_string() for key in node.parent_keys} == ({before} if before else set())


def test_build_dataset_takes_no_partition_and_ends_with_the_quality_report():
    job = definitions.resolve_job_def("build_dataset")
    assert job.partitions_def is None
    assert [node.name for node in job.nodes_in_topological_order][-1] == "quality_report"
    assert definitions.resolve_job_def("process_video").partitions_def is not None


def test_checks_are_there():
    keys = {check.name for check in definitions.resolve_asset_graph().asset_check_keys}
    assert keys == {"frames_shape", "depth_share", "up_confidence", "label_histogram", "grid_shape"}


def test_nothing_starts_building_because_the_ui_was_opened():
    for name in ("new_videos", "poll_sources", "refusing_hosts"):
        found = [*definitions.sensors, *definitions.schedules]
        status = next(item.default_status for item in found if item.name == name)
        assert status.value == "STOPPED"


def test_the_sensor_requests_what_is_missing_and_again_only_when_something_changed(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path))
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


def test_what_the_launchpad_gives_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("{dataset: {parallel_videos: 2, give_up_after: 5}}")
    monkeypatch.setenv("YOUTUBE_OCC_SETTINGS", str(file))
    monkeypatch.setenv("YOUTUBE_OCC_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SOURCES", "tour://5")
    given = PipelineResource(sources="tour://6", overrides={"dataset": {"parallel_videos": 3}})
    assert given.settings().dataset.parallel_videos == 3
    assert given.settings().dataset.give_up_after == 5
    assert [entry.source for entry in given.listed().entries] == ["tour://6"]
    assert given.store().root == str(tmp_path / "elsewhere")
    assert PipelineResource().listed().entries[0].source == "tour://5"


def test_a_child_run_is_given_what_the_parent_was_given():
    given = PipelineResource(data="/somewhere", profile="classic", overrides={"dataset": {"parallel_videos": 3}})
    config = given.run_config()["resources"]["pipeline"]["config"]
    assert config == {"data": "/somewhere", "profile": "classic", "overrides": {"dataset": {"parallel_videos": 3}}}
    assert PipelineResource(**json.loads(json.dumps(config))) == given


def test_the_sources_file_names_the_profile_unless_another_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file = tmp_path / "sources.yaml"
    file.write_text("{profile: small, sources: [tour://1]}")
    assert PipelineResource(sources=str(file)).settings().profile == "small"
    assert PipelineResource(sources="tour://1").settings().profile == "classic"
    assert PipelineResource(sources=str(file), profile="classic").settings().profile == "classic"
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "youtube_occ")
    assert PipelineResource(sources=str(file)).settings().profile == "youtube_occ"
    file.write_text("{profile: large, sources: [tour://1]}")
    with pytest.raises(SettingsError, match="'large'"):
        PipelineResource(sources=str(file), profile="large").settings()


def test_a_wrong_setting_is_named():
    with pytest.raises(SettingsError, match=r"dataset\.parallel_videos"):
        PipelineResource(overrides={"dataset": {"parallel_videos": 0}}).settings()


def test_an_embedded_preview_stays_under_twenty_kilobytes():
    value = picture(os.urandom(PREVIEW_BYTES))
    assert isinstance(value, dg.MarkdownMetadataValue)
    assert value.md_str is not None
    assert len(value.md_str) < 20_000


def test_a_table_of_nothing_can_be_shown():
    assert table([]).value.records == []


def _requests(pipeline: PipelineResource) -> list[dg.RunRequest]:
    with dg.DagsterInstance.ephemeral() as instance:
        found = new_videos(dg.build_sensor_context(instance, resources={"pipeline": pipeline}))
    assert isinstance(found, dg.SensorResult)
    return list(found.run_requests or [])
