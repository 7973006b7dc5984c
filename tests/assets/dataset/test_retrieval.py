"""The report on words: on a tour that passes for one for evaluation, and where there is nothing to report."""

from pathlib import Path

import pytest

from assets import definitions
from assets.dataset.retrieval import retrieval_report
from assets.metadata import PREVIEW_BYTES
from assets.resources import PipelineResource
from pipeline.contract.errors import BrokenRetrievalSet, NoEmbeddings
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset

EVALUATED = 1_000_006
"""A tour whose room is filmed at the same time as that of the stored one."""


def small(data: Path) -> PipelineResource:
    return PipelineResource(data=str(data), profile="small", sources="tour://5")


def test_the_asset_shows_the_table_and_a_heat_map_of_every_kind(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    video = Store(data).video(VIDEO)
    video.write_json("source.json", {**video.read_json("source.json"), "origin": f"tour://{EVALUATED}"})
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


def test_its_job_makes_the_report_alone():
    nodes = definitions.resolve_job_def("retrieval").nodes_in_topological_order
    assert [node.name for node in nodes] == ["retrieval_report"]
