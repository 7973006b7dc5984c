"""The dataset index: incremental, idempotent, stable in its split, honest about what was left out."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pipeline.bench.made_up import finish_made_up
from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import LeftOut
from pipeline.contract.scale import ScaleSource
from pipeline.dataset import index_writer
from pipeline.dataset.frames import Dataset
from pipeline.dataset.index import build_dataset
from pipeline.dataset.selection import Selection
from pipeline.dataset.split import group_of, split_of
from pipeline.settings import DatasetSettings, load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.entries import SourceEntry, SourceList
from pipeline.sources.video_source import VideoSource
from pipeline.stages.failures import forget_failure, record_failure
from pipeline.store.index import CLASS_COLUMNS, INDEX_SCHEMA, DatasetSummary, read_index, read_summary
from pipeline.store.store import Store
from tests.earlier import unpack_earlier_dataset

HALF = DatasetSettings(validation_share=0.5)


def finish(store: Store, video_id: str, fingerprint: str = "f0", frames: int = 4) -> None:
    """Write the groups of a finished video whose second frame lost its camera."""
    with store.video(video_id).locked():
        _finish(store, video_id, fingerprint, frames)


def _finish(store: Store, video_id: str, fingerprint: str, frames: int) -> None:
    left_out = (LeftOut("occupancy", 7, "TooFewRegistered", "2 of 9 frames"),)
    registered, half = np.arange(frames) != 1, np.full(frames, 0.5, np.float32)
    counts = np.zeros((frames, len(CLASS_COLUMNS)), np.int32)
    counts[:, 3] = 10 * registered
    arrays: dict[str, dict[str, NDArray[Any]]] = {
        "frames": {
            "clip_id": np.arange(frames, dtype=np.int32) // 2,
            "frame_index": np.arange(frames) * 5,
            "time_s": np.arange(frames) * 0.2,
            "indoor_score": np.ones(frames, np.float32),
        },
        "scene": {
            "registered": registered,
            "scale_source": np.full(frames, ScaleSource.FLOOR_TO_CEILING, np.uint8),
            **dict.fromkeys(("depth_share", "up_confidence", "ceiling_height"), half),
        },
        "occupancy": {"class_counts": counts},
    }
    finish_made_up(store.video(video_id), fingerprint, arrays, left_out)


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
    with store.video("a").locked():
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


def register(store: Store, video_id: str, **known: Any) -> None:
    """Enter a finished video of the web into the catalog."""
    source = VideoSource(kind="url", origin=f"https://example.org/{video_id}", listed_by=known.pop("listed_by", ""))
    Catalog(store).register([CatalogRow(video_id, source, state=known.pop("state", VideoState.FETCHED), **known)])


def sides(folder: Path) -> dict[str, str]:
    return {row["video_id"]: row["split"] for row in index_of(folder)}


def test_videos_of_one_channel_are_on_one_side_however_many_come(tmp_path: Path):
    store = Store(tmp_path)
    for n in range(40):
        finish(store, f"v{n}")
        register(store, f"v{n}", uploader=f"Uploader {n % 8}")
    build_dataset(store, HALF)
    first = sides(tmp_path)
    assert all(first[f"v{n}"] == first[f"v{n % 8}"] for n in range(40))
    assert set(first.values()) == {"train", "validation"}, "eight groups at one half"
    for n in range(40, 48):
        finish(store, f"v{n}")
        register(store, f"v{n}", uploader=f"uploader {n % 8}")
    build_dataset(store, HALF)
    assert {key: side for key, side in sides(tmp_path).items() if key in first} == first, "nobody changes sides"
    assert all(sides(tmp_path)[f"v{n}"] == first[f"v{n % 8}"] for n in range(40, 48))


def test_a_video_that_shows_what_the_other_side_shows_is_left_out(tmp_path: Path):
    store = Store(tmp_path)
    here, there = (next(f"U{n}" for n in range(99) if split_of(group(f"U{n}"), 0.5) == side) for side in SIDES)
    for video_id, uploader, alike in (("a", here, ""), ("b", there, "a"), ("c", here, "a"), ("d", there, "nobody")):
        finish(store, video_id)
        register(store, video_id, uploader=uploader, duplicate_of=alike)
    summary = build_dataset(store, HALF)
    assert set(sides(tmp_path)) == {"a", "c", "d"}
    assert [(e.video_id, e.code) for e in summary.left_out if e.stage == "dataset"] == [("b", "AcrossSplit")]


SIDES = ("train", "validation")


def group(uploader: str) -> str:
    return group_of("", "https://", "", uploader)


def test_copies_and_rejected_videos_are_not_taken_in_though_they_are_built(tmp_path: Path):
    store = Store(tmp_path)
    for state in (VideoState.DUPLICATE, VideoState.REJECTED, VideoState.UNWANTED, VideoState.FETCHED):
        finish(store, state.value)
        register(store, state.value, state=state)
    summary = build_dataset(store, HALF)
    assert set(sides(tmp_path)) == {"fetched"}
    left_out = {entry.video_id: entry.code for entry in summary.left_out if entry.stage == "dataset"}
    assert left_out == {"duplicate": "Duplicate", "rejected": "Rejected", "unwanted": "Unwanted"}


def test_what_todays_sources_do_not_name_is_listed_as_such_and_comes_back(tmp_path: Path):
    store = Store(tmp_path)
    for video_id, listing in (("a", "channel https://a.org"), ("b", "channel https://b.org")):
        finish(store, video_id)
        register(store, video_id, listed_by=listing)
    both = [{"kind": "channel", "source": f"https://{name}.org"} for name in "ab"]
    one = Selection(SourceList(entries=(SourceEntry(**both[0]),), folder=tmp_path))
    summary = build_dataset(store, HALF, one)
    assert set(sides(tmp_path)) == {"a"}
    assert [(e.video_id, e.code) for e in summary.left_out if e.stage == "dataset"] == [("b", "NotListed")]
    again = Selection(SourceList(entries=tuple(SourceEntry(**entry) for entry in both), folder=tmp_path))
    assert build_dataset(store, HALF, again).videos == 2
    assert set(sides(tmp_path)) == {"a", "b"}


def test_videos_of_another_profile_are_left_out_unless_mixing_is_asked_for(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    with pytest.warns(FutureWarning):
        small = load_settings("small", tmp_path / "settings.yaml")
    classic = load_settings("classic")
    assert build_dataset(store, small.dataset, Selection(settings=small)).videos == 1
    summary = build_dataset(store, classic.dataset, Selection(settings=classic))
    assert (summary.videos, summary.left_out[-1].code) == (0, "OtherSettings")
    mixed = classic.dataset.model_copy(update={"mixed": True})
    assert build_dataset(store, mixed, Selection(settings=classic)).videos == 1


def test_a_dataset_that_was_split_by_video_says_how_many_changed_sides(tmp_path: Path):
    store = Store(tmp_path)
    for n in range(12):
        finish(store, f"v{n}")
    build_dataset(store, HALF)  # without a catalog, every video is drawn by itself, as in release 0.2
    for path in (tmp_path / "dataset").glob("*.parquet"):
        if path.name != "index.parquet":
            path.unlink()
    before = sides(tmp_path)
    for n in range(12):
        register(store, f"v{n}", uploader="one")
    summary = build_dataset(store, HALF)
    (side,) = set(sides(tmp_path).values())
    moved = sum(found != side for found in before.values())
    assert summary.notes[0].endswith(
        f"{moved} of 12 videos changed sides; networks trained before have seen what is now in validation"
    )
    assert summary.notes[0] in summary.table()
    assert build_dataset(store, HALF) == summary


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
    assert set(sides(tmp_path / "one")) == {"b", "c"}


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
    lacking = ["probability_right", "camera_height", "scale_sigma", "scale_cues"]
    pq.write_table(pq.read_table(path).drop_columns(lacking), path)
    written = path.read_bytes()
    assert build_dataset(store, HALF) == before
    assert path.read_bytes() == written
    for name in lacking:
        assert read_index(store, [name])[name].to_pylist() == [None] * 6
    finish(store, "b", "f1")
    build_dataset(store, HALF)
    assert pq.read_table(path)["probability_right"].to_pylist() == [None] * 6
