"""What damage, kills and disks that cannot be read leave of the index, and how it becomes whole again."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.index import build_dataset
from pipeline.stages.failures import forget_failure
from pipeline.store.store import Store
from tests.pipeline.dataset.finished import HALF, finish, index_of


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


def make_unreadable(store: Store, video_id: str) -> Path:
    """Let the file system give an error for the notes on a video's scene, as a network folder does that is away."""
    path = Path(store.path("videos", video_id, "scene.zarr", "scene", "zarr.json"))
    path.rename(path.with_name("aside"))
    path.symlink_to(path)
    with store.video(video_id).locked():
        pass  # which notes that it may have changed
    return path


def make_readable(path: Path) -> None:
    path.unlink()
    path.with_name("aside").rename(path)


def test_a_video_that_cannot_be_read_just_now_stays_as_it_was_known(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    before, rows = build_dataset(store, HALF), index_of(tmp_path)
    path = make_unreadable(store, "a")
    assert build_dataset(store, HALF) == before
    assert index_of(tmp_path) == rows
    make_readable(path)
    finish(store, "a", "f1", frames=6)
    assert build_dataset(store, HALF).frames == before.frames + 2


def test_a_new_video_that_cannot_be_read_just_now_is_left_out_by_name_and_looked_at_again(tmp_path: Path):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    path = make_unreadable(store, "b")
    summary = build_dataset(store, HALF)
    assert {row["video_id"] for row in index_of(tmp_path)} == {"a"}
    assert [(entry.video_id, entry.code) for entry in summary.left_out if entry.code != "TooFewRegistered"] == [
        ("b", "NotReadableNow")
    ]
    make_readable(path)
    summary = build_dataset(store, HALF)
    assert {row["video_id"] for row in index_of(tmp_path)} == {"a", "b"}
    assert {entry.code for entry in summary.left_out} == {"TooFewRegistered"}


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


TABLES = ("videos.parquet", "left_out.parquet", "contents.parquet")


@pytest.mark.parametrize(
    ("lost", "kept"), [("summary.json", None), *((name, kept) for name in TABLES for kept in (None, 0, 40))]
)
def test_what_a_kill_or_a_damage_leaves_beside_the_index_is_made_again(tmp_path: Path, lost: str, kept: int | None):
    store = Store(tmp_path)
    for video_id in ("a", "b"):
        finish(store, video_id)
    before = build_dataset(store, HALF)
    path = tmp_path / "dataset" / lost
    content = path.read_bytes()
    path.unlink() if kept is None else path.write_bytes(content[:kept])
    after = build_dataset(store, HALF)
    assert after.model_dump(exclude={"created"}) == before.model_dump(exclude={"created"})
    if lost.endswith("parquet"):
        assert pq.read_table(path).equals(pq.read_table(pa.BufferReader(content)))


def test_an_index_that_is_newer_than_what_is_noted_of_it_is_counted_anew(tmp_path: Path):
    store, kept = Store(tmp_path), tmp_path / "dataset" / "contents.parquet"
    finish(store, "a")
    build_dataset(store, HALF)
    old = kept.read_bytes()
    finish(store, "b", frames=6)
    whole = build_dataset(store, HALF)
    kept.write_bytes(old)  # as after a kill between the two writes
    assert build_dataset(store, HALF) == whole
    assert set(pq.read_table(kept)["video_id"].to_pylist()) == {"a", "b"}


def test_a_folder_that_was_deleted_or_put_there_by_hand_is_noticed(tmp_path: Path):
    store = Store(tmp_path / "one")
    for video_id in ("a", "b"):
        finish(store, video_id)
    build_dataset(store, HALF)
    shutil.rmtree(tmp_path / "one" / "videos" / "a")
    finish(Store(tmp_path / "other"), "c")
    shutil.copytree(tmp_path / "other" / "videos" / "c", tmp_path / "one" / "videos" / "c")
    shutil.copytree(tmp_path / "one" / "videos" / "b", tmp_path / "one" / "videos" / "d")  # nothing of d is made from d
    build_dataset(store, HALF)
    assert {row["video_id"] for row in index_of(tmp_path / "one")} == {"b", "c"}
