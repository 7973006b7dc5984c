from pathlib import Path

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.entries import SourceEntry, SourceKind, SourceList, read_entries
from pipeline.sources.named import NamedVideos
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store

CHANNEL = "channel https://a.org"


def rows(folder: Path) -> list[CatalogRow]:
    sources = (
        VideoSource(kind="tour", origin="tour://1"),
        VideoSource(kind="file", origin=str(folder / "films" / "a.mp4")),
        VideoSource(kind="url", origin="https://a.org/1", listed_by=CHANNEL),
        VideoSource(kind="url", origin="https://a.org/2"),
        VideoSource(kind="url", origin="https://b.org/1", listed_by="channel https://b.org"),
    )
    return [CatalogRow(source.video_id, source) for source in sources]


def test_videos_are_named_by_themselves_by_their_folder_or_by_their_listing(tmp_path: Path):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").touch()
    catalog, known = Catalog(Store(tmp_path)), rows(tmp_path)
    catalog.register(known)
    own = read_entries(f"tour://1 {tmp_path / 'films'} https://a.org/2").entries
    listed = SourceList(entries=(*own, SourceEntry(kind=SourceKind.CHANNEL, source="https://a.org")), folder=tmp_path)
    named = NamedVideos.of(listed)
    assert [named.holds(row) for row in known] == [True, True, True, True, False]
    assert named.video_ids(catalog).to_pylist() == [row.video_id for row in known[:4]]


def test_a_file_that_is_not_in_its_folder_any_more_is_not_named(tmp_path: Path):
    (tmp_path / "films").mkdir()
    named = NamedVideos.of(read_entries(f"{tmp_path / 'films'} tour://1"))
    assert [named.holds(row) for row in rows(tmp_path)] == [True, False, False, False, False]


def test_videos_of_a_folder_that_is_away_stay_named(tmp_path: Path):
    catalog, known = Catalog(Store(tmp_path)), rows(tmp_path)
    catalog.register(known)
    away = SourceEntry(kind=SourceKind.FOLDER, source="films")
    named = NamedVideos.of(SourceList(entries=(away,), folder=tmp_path))
    assert [named.holds(row) for row in known] == [False, True, False, False, False]
    assert named.video_ids(catalog).to_pylist() == [known[1].video_id]
