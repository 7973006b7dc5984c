from pathlib import Path

import dagster as dg
import pytest

from assets.dataset.dataset import dataset, quality_report
from assets.resources import PipelineResource
from pipeline.store.index import read_summary
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.pipeline.stored_room import store_room


def test_the_dataset_shows_its_counts_classes_and_what_was_left_out(tmp_path: Path):
    pipeline = PipelineResource(data=str(unpack_earlier_dataset(tmp_path)), sources="tour://5")
    made = dataset(pipeline=pipeline)
    summary = read_summary(pipeline.store())
    assert summary is not None
    assert made.data_version is not None
    assert made.data_version.value == summary.version
    counts = {name: made.metadata[name].value for name in ("videos", "clips", "frames", "splits", "path")}
    assert counts == {
        "videos": 1,
        "clips": 1,
        "frames": FRAMES,
        "splits": {"train": FRAMES, "validation": 0},
        "path": pipeline.store().path("dataset"),
    }
    assert {"class": "wall", **summary.classes["wall"].model_dump()} in [
        record.data for record in made.metadata["classes"].value.records
    ]
    assert [record.data["code"] for record in made.metadata["left_out"].value.records] == ["NotIndoor"]


def test_a_dataset_of_nothing_fails(tmp_path: Path):
    with pytest.raises(dg.Failure, match="not one video could be built"):
        dataset(pipeline=PipelineResource(data=str(tmp_path), sources="tour://5"))


def test_tours_are_scored_in_a_table_and_a_plot(tmp_path: Path):
    made = quality_report(pipeline=PipelineResource(data=str(unpack_earlier_dataset(tmp_path)), sources="tour://5"))
    assert made.metadata["tours"] == 1
    report = made.metadata["report"].value
    assert report.startswith(f"profile small on {VIDEO}")
    assert "| reconstruction | rotation AUC@5 | 1.000 | >= 0.9 | yes | " in report
    assert made.metadata["plot"].value.startswith("![preview](data:image/png;base64,")


def test_what_has_not_changed_is_not_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pipeline = PipelineResource(data=str(unpack_earlier_dataset(tmp_path)), sources=VIDEO.replace("tour-", "tour://"))
    pipeline.store().remove("dataset", "summary.json")
    first = [asset(pipeline=pipeline).metadata for asset in (dataset, quality_report)]
    shown = capsys.readouterr().out
    assert f"1 videos, 1 clips, {FRAMES} frames" in shown
    assert "rotation AUC@5" in shown
    again = [asset(pipeline=pipeline).metadata for asset in (dataset, quality_report)]
    assert capsys.readouterr().out == ""
    assert again[1]["plot"] == first[1]["plot"]


def test_videos_without_truth_are_not_scored(tmp_path: Path):
    store_room(tmp_path)
    made = quality_report(pipeline=PipelineResource(data=str(tmp_path), sources="tour://5"))
    assert made.metadata["tours"] == 0
    assert "quality is not known" in made.metadata["note"]
    assert not Store(tmp_path).video("room").exists("quality.json")
