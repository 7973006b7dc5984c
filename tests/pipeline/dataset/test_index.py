"""The dataset index: incremental, idempotent, stable in its split, honest about what was left out."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import LeftOut, ScaleSource
from pipeline.dataset.index import build_dataset, split_of
from pipeline.settings import DatasetSettings
from pipeline.stages.failures import forget_failure, record_failure
from pipeline.store.index import CLASS_COLUMNS, DatasetSummary, read_summary
from pipeline.store.provenance import Provenance
from pipeline.store.store import Store

HALF = DatasetSettings(validation_share=0.5)


def finish(store: Store, video_id: str, fingerprint: str = "f0", frames: int = 4) -> None:
    """Write the groups of a finished video whose second frame lost its camera."""
    video = store.video(video_id)
    left_out = (LeftOut("occupancy", 7, "TooFewRegistered", "2 of 9 frames"),)
    note = Provenance(
        stage="occupancy", backend="b", code_version="1", settings={}, weights={}, fingerprint=fingerprint,
        seconds=1.0, counts={}, left_out=left_out,
    ).model_dump(mode="json")  # fmt: skip
    registered = np.arange(frames) != 1
    with video.write_group("frames", note) as group:
        group.append("clip_id", np.arange(frames, dtype=np.int32) // 2)
        group.append("frame_index", np.arange(frames) * 5)
        group.append("time_s", np.arange(frames) * 0.2)
        group.append("indoor_score", np.ones(frames, np.float32))
    with video.write_group("scene", note) as group:
        group.append("registered", registered)
        for name in ("depth_share", "up_confidence", "ceiling_height"):
            group.append(name, np.full(frames, 0.5, np.float32))
        group.append("scale_source", np.full(frames, ScaleSource.FLOOR_TO_CEILING, np.uint8))
    with video.write_group("occupancy", note) as group:
        counts = np.zeros((frames, len(CLASS_COLUMNS)), np.int32)
        counts[:, 3] = 10 * registered
        group.append("class_counts", counts)


def index_of(folder: Path) -> list[dict]:
    return pq.read_table(folder / "dataset" / "index.parquet").to_pylist()


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
    store.video("a").set_aside("scene.zarr/occupancy")
    assert build_dataset(store, HALF).videos == 1
    assert {row["video_id"] for row in index_of(tmp_path)} == {"b"}


def test_a_video_whose_arrays_are_damaged_is_left_out_by_name_until_it_is_built_again(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    chunks = tmp_path / "videos" / "a" / "scene.zarr" / "scene" / "depth_share" / "c"
    next(path for path in chunks.rglob("*") if path.is_file()).write_bytes(b"junk")
    summary = build_dataset(store, HALF)
    assert {row["video_id"] for row in index_of(tmp_path)} == {"b"}
    assert summary.videos == 1
    assert [(entry.video_id, entry.code) for entry in summary.left_out if entry.stage == "dataset"] == [
        ("a", "CorruptStore")
    ]
    assert build_dataset(store, HALF) == summary
    finish(store, "a")
    forget_failure(store.video("a"))
    assert build_dataset(store, HALF).videos == 2


def test_an_index_that_was_deleted_is_written_again(tmp_path: Path):
    store = Store(tmp_path)
    finish(store, "a")
    first, before = build_dataset(store, HALF), index_of(tmp_path)
    (tmp_path / "dataset" / "index.parquet").unlink()
    assert build_dataset(store, HALF).version == first.version
    assert index_of(tmp_path) == before


@pytest.mark.parametrize("kept", [0, 4, 0.5, 0.9])
def test_an_index_cut_short_is_made_anew_from_the_videos(tmp_path: Path, kept: float):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    build_dataset(store, HALF)
    path = tmp_path / "dataset" / "index.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    finish(store, "c")
    assert build_dataset(store, HALF).videos == 3
    assert [row["video_id"] for row in index_of(tmp_path)] == ["a"] * 3 + ["b"] * 3 + ["c"] * 3


def test_damage_inside_the_index_costs_nothing_but_reading_videos_again(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    build_dataset(store, HALF)
    before, path = index_of(tmp_path), tmp_path / "dataset" / "index.parquet"
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)  # pages lie behind the first four bytes
    path.write_bytes(content)
    finish(store, "c")
    build_dataset(store, HALF)
    assert [row for row in index_of(tmp_path) if row["video_id"] != "c"] == before


def test_summary_of_an_empty_store(tmp_path: Path):
    summary = build_dataset(Store(tmp_path), HALF)
    assert (summary.videos, summary.frames, summary.left_out) == (0, 0, ())
    assert read_summary(Store(tmp_path)) == DatasetSummary.model_validate(summary.model_dump())


def test_split_share_is_kept_over_many_videos():
    # Binomial with n = 4000, p = 0.1: four standard deviations are 0.019.
    share = sum(split_of(f"video-{n}", 0.1) == "validation" for n in range(4000)) / 4000
    assert abs(share - 0.1) < 0.019


@settings(max_examples=40, deadline=None)
@given(st.text("abc-_019", min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_validation_share_only_adds_videos(video_id: str, first: float, second: float):
    low, high = sorted((first, second))
    if split_of(video_id, low) == "validation":
        assert split_of(video_id, high) == "validation"
