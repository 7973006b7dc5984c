"""Which videos a dataset takes in, and on which side of the split they are."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.dataset.index import build_dataset
from pipeline.dataset.selection import Selection
from pipeline.dataset.split import group_of, split_of
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.entries import SourceEntry, SourceList
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.earlier import unpack_earlier_dataset
from tests.pipeline.dataset.finished import HALF, finish, index_of


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
