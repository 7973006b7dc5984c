"""Very many videos: blocks of the catalog are what Dagster shows and runs, and nothing of the videos is lost by it."""

import json
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.dataset.blocks import BLOCKS_NAME, block_of, blocks_of, blocks_with, video_block, videos_of
from assets.dataset.jobs import new_videos
from assets.dataset.video_builder import VideoBuilder
from assets.resources import PARTITION_TAG, PipelineResource
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.stages.run import is_built
from tests.assets.pools.workers import workers_with
from tests.assets.workplace import QUICK, Workplace

FIVE = "tour://1 tour://2 tour://3 tour://4 tour://5"
IN_BLOCKS = {"dataset": {"partitions_max": 4, "block": 2}}
MOST_RECORDS = 60
"""Of a whole build; a run for each of its videos would leave as many for every one."""


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineResource:
    pipeline = PipelineResource(data=str(tmp_path / "data"), sources=FIVE, overrides=IN_BLOCKS)
    Catalog(pipeline.store()).add(read_sources(FIVE))
    return pipeline


@given(st.integers(0, 5000), st.integers(1, 1500))
def test_every_number_lies_in_one_block(count: int, size: int):
    blocks = blocks_of(count, size)
    assert len(set(blocks)) == len(blocks) == -(-count // size)
    assert sorted(blocks) == blocks
    assert {block_of(number, size) for number in range(count)} == set(blocks)


def test_blocks_hold_every_video_once(pipeline: PipelineResource):
    catalog = pipeline.catalog()
    held = Counter(video_id for block in blocks_of(5, 2) for video_id in videos_of(block, catalog))
    assert held == Counter(catalog.video_ids())
    assert blocks_with(["tour-5", "tour-1", "tour-2", "nobody"], catalog, 2) == [block_of(4, 2), block_of(0, 2)]


@pytest.mark.parametrize("name", ["", "1-2", "000000000-00000000a", "../../x", "000000000-000000001\n"])
def test_what_names_no_block_is_refused(pipeline: PipelineResource, name: str):
    with pytest.raises(dg.Failure, match="no block of videos"):
        videos_of(name, pipeline.catalog())


def test_a_block_builds_its_own_videos_and_no_others(pipeline: PipelineResource, monkeypatch: pytest.MonkeyPatch):
    workers_with(monkeypatch, "raise SystemExit(4)")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(BLOCKS_NAME, blocks_of(5, 2))
        builder = VideoBuilder(pipeline, instance, "a-run")
        result = dg.materialize(
            [video_block], resources={"builder": builder}, instance=instance, partition_key=block_of(2, 2)
        )
    (event,) = result.asset_materializations_for_node("video_block")
    rows = [record.data for record in event.metadata["builds"].value.records]
    assert [row["video"] for row in rows] == ["tour-3", "tour-4"]
    assert (event.metadata["built"].value, event.metadata["left_out"].value) == (0, 2)


def _asked(pipeline: PipelineResource, instance: dg.DagsterInstance) -> dg.SensorResult:
    found = new_videos(dg.build_sensor_context(instance, resources={"pipeline": pipeline}))
    assert isinstance(found, dg.SensorResult)
    return found


def test_the_sensor_requests_a_block_at_a_time_and_makes_no_partition_of_a_video(pipeline: PipelineResource):
    with dg.DagsterInstance.ephemeral() as instance:
        found = _asked(pipeline, instance)
        (added,) = found.dynamic_partitions_requests or []
        assert (added.partitions_def_name, list(added.partition_keys)) == (BLOCKS_NAME, blocks_of(5, 2))
        instance.add_dynamic_partitions(BLOCKS_NAME, blocks_of(5, 2))
        (request,) = _asked(pipeline, instance).run_requests or []
        assert (request.job_name, request.partition_key) == ("build_block", block_of(0, 2))
        tags = {PARTITION_TAG: str(request.partition_key)}
        instance.create_run_for_job(_nothing, tags=tags, status=dg.DagsterRunStatus.STARTED)
        again = _asked(pipeline, instance)
    assert not again.run_requests
    assert not again.dynamic_partitions_requests


@dg.job
def _nothing() -> None:
    """Do nothing."""


def test_a_dataset_in_blocks_is_built_by_runs_that_leave_nothing_a_video(tmp_path: Path):
    place = Workplace(tmp_path, "tour://3")
    place.settings_file.write_text(json.dumps({**QUICK, "dataset": {"partitions_max": 0}}))
    ended = place.execute("build_dataset")
    assert ended.code == 0, ended.text
    assert is_built(place.store.video("tour-3"), place.settings)
    with place.instance as instance:
        assert [run.job_name for run in instance.get_runs()] == ["build_dataset"]
        assert instance.get_dynamic_partitions("videos") == []
        assert list(instance.get_dynamic_partitions(BLOCKS_NAME)) == [block_of(0, 1000)]
        (run,) = instance.get_runs()
        assert len(instance.all_logs(run.run_id)) < MOST_RECORDS
