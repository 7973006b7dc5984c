"""Local files: what counts is their content, and size and time only say when to look at it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.local_files import is_gone, look_again, take_place
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store

CONTENT = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
"""SHA-256 of "hello" and an end of line."""


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(Store(tmp_path / "data"))


def source_at(path: Path, content: str = "hello\n") -> VideoSource:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return VideoSource(kind="file", origin=str(path))


def built(catalog: Catalog, source: VideoSource, sha256: str = CONTENT) -> str:
    """Enter a file as one that was read and built."""
    catalog.add([source])
    catalog.update([source.video_id], lambda row: replace(row, state=VideoState.FETCHED, sha256=sha256, built="f"))
    video = Store(catalog.files.root).video(source.video_id)
    video.write_json("source.json", {"sha256": sha256})
    video.write_json("scene.zarr/occupancy/zarr.json", {"attributes": {}})
    return source.video_id


def stored(catalog: Catalog, video_id: str) -> bool:
    return Store(catalog.files.root).video(video_id).has_group("occupancy")


def test_a_file_that_is_as_it_was_keeps_what_was_built_of_it(catalog: Catalog, tmp_path: Path):
    source = source_at(tmp_path / "a.mp4")
    video_id = built(catalog, source)
    assert look_again(catalog, [source]) == []
    os.utime(source.origin, ns=(1, 1))
    assert look_again(catalog, [source]) == [], "touched, and the same content"
    assert stored(catalog, video_id)
    assert catalog.row(video_id).built == "f"


def test_a_file_replaced_in_place_is_read_again(catalog: Catalog, tmp_path: Path):
    source = source_at(tmp_path / "a.mp4")
    video_id = built(catalog, source)
    look_again(catalog, [source])
    kept = Path(source.origin).stat()
    Path(source.origin).write_text("jello\n", encoding="utf-8")  # of the same size
    assert Path(source.origin).stat().st_size == kept.st_size
    assert look_again(catalog, [source]) == [video_id]
    row = catalog.row(video_id)
    assert (row.state, row.sha256, row.built) == (VideoState.NEW, "", "")
    assert not stored(catalog, video_id)
    assert look_again(catalog, [source]) == [], "once"


def test_a_file_of_an_earlier_release_is_compared_by_its_content(catalog: Catalog, tmp_path: Path):
    source = source_at(tmp_path / "a.mp4", "another\n")
    assert look_again(catalog, [source]) == []
    assert look_again(catalog, [replace_built(catalog, source)]) == [source.video_id]


def replace_built(catalog: Catalog, source: VideoSource) -> VideoSource:
    built(catalog, source)
    return source


def test_a_file_that_is_quick_to_read_again_is_not_read(catalog: Catalog, tmp_path: Path):
    source = source_at(tmp_path / "a.mp4")
    video_id = built(catalog, source)
    look_again(catalog, [source])
    kept = Path(source.origin).stat()
    Path(source.origin).write_text("jello\n", encoding="utf-8")
    os.utime(source.origin, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert look_again(catalog, [source]) == [], "size and time are what they were: its content is not read"
    assert stored(catalog, video_id)


def test_a_broken_file_that_was_mended_is_tried_again(catalog: Catalog, tmp_path: Path):
    source = source_at(tmp_path / "a.mp4", "broken")
    catalog.add([source])
    video = Store(catalog.files.root).video(source.video_id)
    look_again(catalog, [source])
    video.write_json("failure.json", {"code": "BrokenVideo"})
    assert look_again(catalog, [source]) == []
    Path(source.origin).write_text("whole now", encoding="utf-8")
    assert look_again(catalog, [source]) == [source.video_id]
    assert not video.exists("failure.json")


def test_a_video_that_is_being_worked_on_is_looked_at_the_next_time(catalog: Catalog, tmp_path: Path):
    source = source_at(tmp_path / "a.mp4")
    video_id = built(catalog, source)
    look_again(catalog, [source])
    Path(source.origin).write_text("another\n", encoding="utf-8")
    with Store(catalog.files.root).video(video_id).locked():
        assert look_again(catalog, [source]) == []
        assert stored(catalog, video_id)
    assert look_again(catalog, [source]) == [video_id]


def test_a_copy_goes_on_as_the_original_whose_file_is_gone(catalog: Catalog, tmp_path: Path):
    first, copy = source_at(tmp_path / "old" / "a.mp4"), source_at(tmp_path / "new" / "a.mp4")
    original = built(catalog, first)
    catalog.add([copy])
    duplicate = {"state": VideoState.DUPLICATE, "duplicate_of": original, "sha256": CONTENT}
    catalog.update([copy.video_id], lambda row: replace(row, **duplicate))
    look_again(catalog, [copy])
    assert catalog.row(original).source.origin == first.origin, "its file is there"
    Path(first.origin).unlink()
    assert is_gone(first)
    look_again(catalog, [copy])
    assert catalog.row(original).source.origin == copy.origin
    assert (catalog.row(original).built, stored(catalog, original)) == ("f", True)
    Path(copy.origin).write_text("another\n", encoding="utf-8")
    assert look_again(catalog, [copy]) == [original], "it is its file now"
    assert catalog.row(original).state is VideoState.NEW


def test_a_lookalike_of_a_file_that_is_gone_is_built_itself(catalog: Catalog, tmp_path: Path):
    first, alike = source_at(tmp_path / "a.mp4"), source_at(tmp_path / "b.mp4", "the same, encoded anew")
    original = built(catalog, first)
    catalog.add([alike])
    duplicate = {"state": VideoState.DUPLICATE, "duplicate_of": original, "sha256": "other"}
    catalog.update([alike.video_id], lambda row: replace(row, **duplicate))
    Path(first.origin).unlink()
    look_again(catalog, [alike])
    assert (catalog.row(alike.video_id).state, catalog.row(original).source) == (VideoState.NEW, first)


def test_only_a_file_takes_the_place_of_a_file_that_is_gone(catalog: Catalog, tmp_path: Path):
    first, copy = source_at(tmp_path / "a.mp4"), source_at(tmp_path / "b.mp4")
    web = VideoSource(kind="url", origin="https://example.org/a.mp4")
    catalog.add([first, copy, web])
    assert not take_place(catalog, copy.video_id, first.video_id)
    Path(first.origin).unlink()
    assert not take_place(catalog, web.video_id, first.video_id)
    assert not take_place(catalog, copy.video_id, web.video_id)
    assert take_place(catalog, copy.video_id, first.video_id)
