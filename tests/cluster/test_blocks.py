"""Very many videos: two thousand in blocks leave little in Dagster, and what is missing is asked of no bucket."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from assets.bench.scale import SOURCES
from assets.dataset.blocks import BLOCKS_NAME, blocks_of, video_block
from assets.dataset.video_builder import VideoBuilder
from assets.resources import PipelineResource
from pipeline.bench.refresh import catalog_row
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.store.store import Store
from tests.assets.pools.workers import BEGIN, workers_with
from tests.cluster.conftest import Bucket

VIDEOS, MANY = 2000, 100_000
MOST_RECORDS = 200

WORKER = """
with open(NOTED, "a", buffering=1) as noted:
    while order := channel.recv():
        noted.write(order["tags"]["dagster/partition"] + "\\n")
        channel.send({})
"""
"""Notes which video it was given, and says that it is done with it."""


def pipeline_of(data: str, folder: Path) -> PipelineResource:
    """Return the pipeline of a dataset whose videos a search found."""
    sources = folder / "sources.yaml"
    sources.write_text(SOURCES)
    return PipelineResource(data=data, sources=str(sources), profile="classic")


def not_built(number: int, video_id: str) -> CatalogRow:
    """Return a row of a video of which nothing was ever made."""
    return replace(catalog_row(number, video_id), built="", state=VideoState.NEW)


def test_two_thousand_videos_in_blocks_are_each_given_to_one_worker_and_leave_few_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    noted = tmp_path / "noted"
    workers_with(monkeypatch, f"{BEGIN}NOTED = {str(noted)!r}{WORKER}")
    pipeline = pipeline_of(str(tmp_path / "data"), tmp_path)
    ids = [f"v{n:05d}" for n in range(VIDEOS)]
    Catalog(pipeline.store()).register(not_built(n, video_id) for n, video_id in enumerate(ids))
    blocks, records = blocks_of(VIDEOS, pipeline.settings().dataset.block), 0
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(BLOCKS_NAME, blocks)
        for block in blocks:
            builder = VideoBuilder(pipeline, instance, "a-run")
            made = dg.materialize([video_block], resources={"builder": builder}, instance=instance, partition_key=block)
            records += len(instance.all_logs(made.run_id))
    assert len(blocks) == 2
    assert sorted(noted.read_text().split()) == ids
    assert records < MOST_RECORDS


def test_what_is_missing_among_a_hundred_thousand_is_told_by_the_catalog_alone(bucket: Bucket, tmp_path: Path):
    ids = [f"v{n:05d}" for n in range(MANY)]
    pipeline = pipeline_of(bucket.url, tmp_path)
    registered = Catalog(Store(bucket.url)).register(not_built(n, video_id) for n, video_id in enumerate(ids))
    assert len(registered) == MANY
    before = len(bucket.requests())
    assert list(pipeline.missing()) == ids
    assert len(bucket.requests()) - before <= 10
