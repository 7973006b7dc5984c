from pathlib import Path

import dagster as dg
import pytest

from assets.dataset.builds import video_builds
from assets.dataset.video_builder import VideoBuilder
from assets.resources import PipelineResource
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.store.store import Store
from tests.assets.pools.workers import workers_with
from tests.earlier import unpack_earlier_dataset


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineResource:
    return PipelineResource(data=str(unpack_earlier_dataset(tmp_path)), sources="tour://5")


def built(pipeline: PipelineResource) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        builder = VideoBuilder(pipeline, instance, "a-run")
        return dg.materialize([video_builds], resources={"builder": builder}, instance=instance)


def listed(result: dg.ExecuteInProcessResult) -> tuple[int, list[dict[str, object]]]:
    (event,) = result.asset_materializations_for_node("video_builds")
    return event.metadata["built"].value, [record.data for record in event.metadata["builds"].value.records]


def test_where_nothing_is_missing_nothing_is_built_and_no_worker_started(
    pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    workers_with(monkeypatch, None)
    assert listed(built(pipeline)) == (0, [])
    assert "no video to build" in capsys.readouterr().out


def test_every_missing_video_has_a_build_that_says_how_it_ended_and_none_stops_the_asset(
    pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    Catalog(Store(str(pipeline.data))).add(read_sources("tour://6 tour://7"))
    pipeline = pipeline.model_copy(update={"sources": "tour://5 tour://6 tour://7"})
    workers_with(monkeypatch, "raise SystemExit(4)")
    result = built(pipeline)
    assert result.success
    count, rows = listed(result)
    assert count == 0
    assert [(row["video"], row["built"]) for row in rows] == [("tour-6", False), ("tour-7", False)]
    assert all("ended with code 4" in str(row["detail"]) for row in rows)
    assert "2 videos to build, profile small" in capsys.readouterr().out


def test_a_batch_that_this_machine_cannot_build_does_not_begin_and_says_why(
    pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch
):
    Catalog(Store(str(pipeline.data))).add(read_sources("tour://6"))
    pipeline = pipeline.model_copy(update={"sources": "tour://5 tour://6"})
    workers_with(monkeypatch, None)
    monkeypatch.setenv("DAGSTER_HOME", "/proc/self/home")
    with pytest.raises(dg.Failure, match=r"(?s)NotReady: .*wrong +DAGSTER_HOME"):
        built(pipeline)
