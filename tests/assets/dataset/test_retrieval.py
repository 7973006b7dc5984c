"""The report on words: on a tour that passes for one for scores, and where there is nothing to report."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assets import definitions
from assets.dataset.dataset import quality_report
from assets.dataset.retrieval import retrieval_report
from assets.metadata import PREVIEW_BYTES
from assets.resources import PipelineResource
from pipeline.contract.errors import BrokenRetrievalSet, FrozenSeeds, NoEmbeddings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.frozen import FROZEN, pass_for_frozen

SCORED = 1_000_006
"""A tour whose room is filmed at the same time as that of the stored one."""


def small(data: Path) -> PipelineResource:
    return PipelineResource(data=str(data), profile="small", sources="tour://5")


def test_the_asset_shows_the_table_and_a_heat_map_of_every_kind(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    video = Store(data).video(VIDEO)
    video.write_json("source.json", {**video.read_json("source.json"), "origin": f"tour://{SCORED}"})
    metadata = retrieval_report(pipeline=small(data)).metadata
    assert metadata["queries"] > 5
    assert metadata["means_nothing"] is False
    assert list(metadata["weights"].value) == ["san_small.safetensors"]
    assert "| by class |" in metadata["report"].value
    assert metadata["heat_maps"].value.count("data:image/jpeg") == 1
    assert len(metadata["heat_maps"].value) < 1.4 * PREVIEW_BYTES


def test_the_asset_says_what_is_missing(tmp_path: Path):
    with pytest.raises(NoEmbeddings, match="run the stage 'semantics' again"):
        retrieval_report(pipeline=PipelineResource(data=str(tmp_path / "empty"), profile="classic"))
    with pytest.raises(BrokenRetrievalSet, match="seeds from 1000000 on"):
        retrieval_report(pipeline=small(unpack_earlier_dataset(tmp_path)))


@pytest.mark.parametrize("asset", [retrieval_report, quality_report])
def test_no_asset_looks_at_a_frozen_tour(tmp_path: Path, asset: Callable):
    data = unpack_earlier_dataset(tmp_path)
    Catalog(Store(data)).add([VideoSource.of_origin(f"tour://{FROZEN}")])
    pass_for_frozen(data, VIDEO)
    with pytest.raises(FrozenSeeds, match=f"tours {FROZEN} are frozen"):
        asset(pipeline=small(data))


def test_its_job_makes_the_report_alone():
    nodes = definitions.resolve_job_def("retrieval").nodes_in_topological_order
    assert [node.name for node in nodes] == ["retrieval_report"]
