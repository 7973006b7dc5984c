from pathlib import Path

import dagster as dg

from assets.dataset.catalog import video_catalog
from assets.resources import PipelineResource
from pipeline.sources.catalog.catalog import Catalog


def materialized(pipeline: PipelineResource, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize([video_catalog], resources={"pipeline": pipeline}, instance=instance, raise_on_error=False)


def test_what_the_sources_list_becomes_rows_and_partitions(tmp_path: Path):
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1 tour://2")
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialized(pipeline, instance)
        assert sorted(instance.get_dynamic_partitions("videos")) == ["tour-1", "tour-2"]
    assert sorted(Catalog(pipeline.store()).video_ids()) == ["tour-1", "tour-2"]
    (made,) = result.asset_materializations_for_node("video_catalog")
    assert made.metadata["videos"].value == 2
    assert [record.data for record in made.metadata["sources"].value.records] == [
        {"source": f"tour://{n}", "listed": 1, "new": 1, "not wanted": 0, "error": ""} for n in (1, 2)
    ]


def test_what_is_listed_no_more_stays_a_partition(tmp_path: Path):
    with dg.DagsterInstance.ephemeral() as instance:
        for sources in ("tour://1 tour://2", "tour://2 tour://3"):
            assert materialized(PipelineResource(data=str(tmp_path), sources=sources), instance).success
        assert sorted(instance.get_dynamic_partitions("videos")) == ["tour-1", "tour-2", "tour-3"]


def test_a_source_that_cannot_be_read_is_named_and_the_others_go_on(tmp_path: Path):
    (tmp_path / "films").mkdir()
    file = tmp_path / "sources.yaml"
    file.write_text(f"sources: [tour://1, {{list: {tmp_path / 'gone.txt'}}}]")
    pipeline = PipelineResource(data=str(tmp_path / "data"), sources=str(file))
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialized(pipeline, instance)
    assert result.success
    (made,) = result.asset_materializations_for_node("video_catalog")
    errors = {record.data["source"]: record.data["error"] for record in made.metadata["sources"].value.records}
    assert errors.pop("tour://1") == ""
    assert "gone.txt" in str(next(iter(errors.values())))
    assert made.metadata["videos"].value == 1


def test_sources_that_are_none_fail_once_with_their_error(tmp_path: Path):
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialized(PipelineResource(data=str(tmp_path), sources="tour://one"), instance)
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    described = str(failed.step_failure_data.user_failure_data.description)  # type: ignore[union-attr]
    assert described.startswith("SettingsError: ")
