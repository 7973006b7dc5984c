"""The dataset index: incremental, idempotent, stable in its split, honest about what was left out."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.dataset import index_writer
from pipeline.dataset.frames import Dataset
from pipeline.dataset.index import build_dataset
from pipeline.settings import FilterSettings
from pipeline.stages.failures import record_failure
from pipeline.store.index import INDEX_SCHEMA, DatasetSummary, read_index, read_summary
from pipeline.store.store import Store
from tests.pipeline.dataset.finished import HALF, finish, index_of


def test_index_has_one_row_a_registered_frame_and_names_what_is_left_out(tmp_path: Path):
    store = Store(tmp_path)
    finish(store, "kitchen")
    record_failure(store.video("broken"), "video", "w", BrokenVideo("no moov atom"))
    summary = build_dataset(store, HALF)
    rows = index_of(tmp_path)
    assert [(row["row"], row["clip_id"], row["frame_index"]) for row in rows] == [(0, 0, 0), (2, 1, 10), (3, 1, 15)]
    assert (summary.videos, summary.clips, summary.frames) == (1, 2, 3)
    assert summary.classes["wall"].voxels == 30
    assert summary.classes["wall"].frames == 3
    assert {(entry.video_id, entry.code) for entry in summary.left_out} == {
        ("broken", "BrokenVideo"),
        ("kitchen", "TooFewRegistered"),
    }
    assert "no moov atom" in summary.table()
    assert rows[0]["scale_source"] == "floor_to_ceiling"


def test_a_second_build_writes_nothing(tmp_path: Path):
    store = Store(tmp_path)
    finish(store, "a")
    first = build_dataset(store, HALF)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "dataset").iterdir()}
    assert build_dataset(store, HALF) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "dataset").iterdir()} == written


def test_adding_and_changing_videos_gives_what_a_fresh_build_gives(tmp_path: Path):
    store = Store(tmp_path / "grown")
    for video_id in ("b", "d"):
        finish(store, video_id)
    earlier = build_dataset(store, HALF)
    for video_id, fingerprint in (("a", "f0"), ("c", "f0"), ("d", "f1")):
        finish(store, video_id, fingerprint, frames=5)
    grown = build_dataset(store, HALF)
    fresh = Store(tmp_path / "fresh")
    for video_id, fingerprint, frames in (("d", "f1", 5), ("c", "f0", 5), ("b", "f0", 4), ("a", "f0", 5)):
        finish(fresh, video_id, fingerprint, frames)
    built = build_dataset(fresh, HALF)
    assert index_of(tmp_path / "grown") == index_of(tmp_path / "fresh")
    assert grown.version == built.version != earlier.version
    assert grown.model_dump(exclude={"created"}) == built.model_dump(exclude={"created"})


def test_a_removed_video_leaves_the_index(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    build_dataset(store, HALF)
    with store.video("a").locked():
        store.video("a").set_aside("scene.zarr/occupancy")
    assert build_dataset(store, HALF).videos == 1
    assert {row["video_id"] for row in index_of(tmp_path)} == {"b"}


def test_a_video_whose_stages_are_run_again_is_left_out_until_they_are_done(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    build_dataset(store, HALF)
    frames = store.video("a").attributes("frames")
    with (
        store.video("a").locked(),
        store.video("a").write_group("frames", {**frames, "fingerprint": "f1-frames"}) as group,
    ):
        group.append("clip_id", np.zeros(9, np.int32))
    assert build_dataset(store, HALF).videos == 1
    assert {row["video_id"] for row in index_of(tmp_path)} == {"b"}
    finish(store, "a", "f1", frames=9)
    assert build_dataset(store, HALF).videos == 2


def test_summary_of_an_empty_store(tmp_path: Path):
    summary = build_dataset(Store(tmp_path), HALF)
    assert (summary.videos, summary.frames, summary.left_out) == (0, 0, ())
    assert read_summary(Store(tmp_path)) == DatasetSummary.model_validate(summary.model_dump())


@pytest.fixture
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_writer, "ROWS_A_FILE", 6)
    monkeypatch.setattr(index_writer, "ROWS_OF_ONE", 6)


@pytest.mark.usefixtures("_small_files")
def test_a_large_index_lies_in_files_of_which_a_change_writes_one(tmp_path: Path):
    store = Store(tmp_path)
    ids = [f"v{n}" for n in range(9)]
    for video_id in ids:
        finish(store, video_id)
    build_dataset(store, HALF)
    assert not (tmp_path / "dataset" / "index.parquet").exists()
    folder = tmp_path / "dataset" / "index"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert len(before) > 2
    finish(store, "v4", "f1", frames=5)
    build_dataset(store, HALF)
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert len(before.items() - after.items()) == 1
    rows = pq.read_table(folder).to_pylist()
    assert rows == read_index(store, INDEX_SCHEMA.names).to_pylist()
    counts = Counter(row["video_id"] for row in rows)
    assert counts == {**dict.fromkeys(ids, 3), "v4": 4}
    assert [row["video_id"] for row in rows] == sorted(row["video_id"] for row in rows)
    assert len(Dataset(tmp_path)) == 28


@pytest.mark.usefixtures("_small_files")
def test_an_index_that_shrinks_to_nothing_reads_as_nothing_and_grows_again(tmp_path: Path):
    store = Store(tmp_path)
    for n in range(5):
        finish(store, f"v{n}")
    build_dataset(store, HALF)
    for n in range(5):
        with store.video(f"v{n}").locked():
            store.video(f"v{n}").set_aside("scene.zarr/occupancy")
    assert build_dataset(store, HALF).videos == 0
    assert read_index(store, ["video_id"]).num_rows == 0
    finish(store, "v3")
    assert build_dataset(store, HALF).videos == 1


def test_the_summary_holds_the_first_of_what_was_left_out_and_counts_all(tmp_path: Path):
    store = Store(tmp_path)
    for n in range(7):
        finish(store, f"v{n}")
    summary = build_dataset(store, HALF)
    found = [(counted.stage, counted.code, counted.count) for counted in summary.left_out_counts]
    assert found == [("occupancy", "TooFewRegistered", 7)]
    assert pq.read_table(tmp_path / "dataset" / "left_out.parquet").num_rows == 7
    assert "all that was left out: 7 TooFewRegistered (occupancy)" in summary.table(most=3)
    assert summary.table(most=3).count("TooFewRegistered: ") == 3


def test_an_index_without_the_probability_stays_as_it_is_and_reads_as_not_known(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    before = build_dataset(store, HALF)
    path = tmp_path / "dataset" / "index.parquet"
    lacking = ["probability_right", "camera_height", "scale_sigma", "scale_cues", "world_id"]
    pq.write_table(pq.read_table(path).drop_columns(lacking), path)
    written = path.read_bytes()
    assert build_dataset(store, HALF) == before
    assert path.read_bytes() == written
    for name in lacking:
        assert read_index(store, [name])[name].to_pylist() == [None] * 6
    finish(store, "b", "f1")
    build_dataset(store, HALF)
    assert pq.read_table(path)["probability_right"].to_pylist() == [None] * 6


def test_a_world_whose_first_clip_is_left_out_is_named_by_the_first_that_is_there(tmp_path: Path):
    store = Store(tmp_path)
    worlds, sigmas = np.repeat([0, 0, -1, 0], 2).astype(np.int32), np.repeat([0.3, 0.1, 0.1, 0.1], 2)
    finish(store, "house", frames=8, world_id=worlds, scale_sigma=sigmas.astype(np.float32))
    build_dataset(store, HALF)
    named = {(row["clip_id"], row["world_id"]) for row in index_of(tmp_path)}
    assert named == {(0, 0), (1, 0), (2, None), (3, 0)}
    build_dataset(store, HALF.model_copy(update={"filters": FilterSettings(scale_sigma_max=0.2)}))
    assert {(row["clip_id"], row["world_id"]) for row in index_of(tmp_path)} == {(1, 1), (2, None), (3, 1)}
