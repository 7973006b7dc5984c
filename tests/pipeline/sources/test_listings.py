"""What an entry lists: by itself, in a file, or on the web; and what yt-dlp may say of a video."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenListing, DownloadGone, DownloadRefused, ForbiddenAddress, SettingsError
from pipeline.sources.entries import SourceEntry, SourceKind
from pipeline.sources.listings import SEARCH_RESULTS, _address, _flat, _origin, found_video, list_videos
from pipeline.sources.skipped import SkippedRows
from pipeline.sources.web.settings import WebSettings
from tests.pipeline.sources.faulty_web import Web, serving

QUICK = WebSettings(interval_s=0, private_addresses=True)
ID = "dQw4w9WgXcQ"
WATCH = f"https://www.youtube.com/watch?v={ID}"
ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers(), max_size=2)
)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web(b"film", count=30, listed=12)) as running:
        yield running


def entry(kind: SourceKind, source: str, **rules: Any) -> SourceEntry:
    return SourceEntry(kind=kind, source=source, **rules)


def origins(given: SourceEntry, folder: Path = Path()) -> list[str]:
    return [found.origin for found in list_videos(given, folder, QUICK, None)]


def test_what_lies_here_is_listed_without_asking_anybody(tmp_path: Path):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "b.mkv").touch()
    assert origins(entry(SourceKind.SOURCE, "tour://5")) == ["tour://5"]
    assert origins(entry(SourceKind.FOLDER, "."), tmp_path) == [str(tmp_path / "a.mp4"), str(tmp_path / "b.mkv")]
    assert origins(entry(SourceKind.VIDEO, "https://example.org/a.mp4")) == ["https://example.org/a.mp4"]


def test_a_list_is_read_from_the_folder_of_its_sources_file(tmp_path: Path):
    (tmp_path / "ids.csv").write_text(f"id\n{ID}\n")
    assert origins(entry(SourceKind.LIST, "ids.csv"), tmp_path) == [WATCH]
    with pytest.raises(BrokenListing):
        origins(entry(SourceKind.LIST, "missing.csv"), tmp_path)


def test_what_names_nothing_is_a_matter_of_settings():
    with pytest.raises(SettingsError):
        origins(entry(SourceKind.SOURCE, "gopher://a"))


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_a_feed_gives_its_videos_newest_first(web: Web, kind: str):
    first = ("rss", "atom").index(kind)
    listed = origins(entry(SourceKind.FEED, f"http://127.0.0.1:{web.port}/feed.{kind}"))
    assert listed == [web.url(i) for i in (9 + first, 6 + first, 3 + first, first)]


def test_a_page_gives_the_videos_that_it_shows(web: Web):
    listed = origins(entry(SourceKind.PLAYLIST, f"http://127.0.0.1:{web.port}/page.html"))
    assert set(listed) == {web.url(i) for i in range(12)}


@pytest.mark.parametrize(("path", "error"), [("v/5.mp4", DownloadGone), ("v/2.mp4", DownloadRefused)])
def test_a_host_that_does_not_give_its_listing_says_why(web: Web, path: str, error: type[Exception]):
    with pytest.raises(error):
        origins(entry(SourceKind.FEED, f"http://127.0.0.1:{web.port}/{path}"))


@pytest.mark.parametrize("source", ["file:///etc/passwd", "ftp://a.org/feed", "http://user:secret@a.org/"])
@pytest.mark.parametrize("kind", [SourceKind.FEED, SourceKind.CHANNEL, SourceKind.PLAYLIST])
def test_only_the_web_is_asked_for_listings(kind: SourceKind, source: str):
    with pytest.raises(ForbiddenAddress) as refused:
        origins(entry(kind, source))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "source", "address"),
    [
        (SourceKind.CHANNEL, "https://www.youtube.com/@name", "https://www.youtube.com/@name/videos"),
        (SourceKind.CHANNEL, "https://www.youtube.com/@name/", "https://www.youtube.com/@name/videos"),
        (SourceKind.CHANNEL, "https://www.youtube.com/channel/UC1", "https://www.youtube.com/channel/UC1/videos"),
        (SourceKind.CHANNEL, "https://www.youtube.com/@name/shorts", "https://www.youtube.com/@name/shorts"),
        (SourceKind.CHANNEL, "https://example.org/channel", "https://example.org/channel"),
        (SourceKind.PLAYLIST, "https://www.youtube.com/@name", "https://www.youtube.com/@name"),
        (SourceKind.SEARCH, "house tour", f"ytsearch{SEARCH_RESULTS}:house tour"),
    ],
)
def test_of_a_bare_channel_the_videos_are_asked_for(kind: SourceKind, source: str, address: str):
    assert _address(entry(kind, source)) == address


def test_a_search_asks_for_no_more_than_its_limit():
    assert _address(entry(SourceKind.SEARCH, "house tour", limit=7)) == "ytsearch7:house tour"


@pytest.mark.parametrize(
    ("listed", "origin"),
    [
        ({"ie_key": "Youtube", "id": ID, "url": "https://elsewhere.org/"}, WATCH),
        ({"extractor_key": "Youtube", "id": ID}, WATCH),
        ({"ie_key": "Youtube", "id": "../../etc"}, None),
        ({"url": "https://a.org/v.mp4#t=3"}, "https://a.org/v.mp4"),
        ({"url": "file:///etc/passwd", "webpage_url": "https://a.org/page"}, "https://a.org/page"),
        ({"formats": [{"url": "https://a.org/low"}, {"url": "https://a.org/high"}]}, "https://a.org/high"),
        ({"url": "rtmp://a.org/live"}, None),
        ({"url": None, "formats": None}, None),
        ({"formats": 1.5}, None),
        ({"formats": "https://a.org/low"}, None),
        ({"formats": ["https://a.org/low", None, {"url": "https://a.org/high"}, []]}, "https://a.org/high"),
        ({}, None),
    ],
)
def test_a_listed_video_has_an_address_that_may_be_asked_or_none(listed: dict[str, Any], origin: str | None):
    assert _origin(listed) == origin


def test_what_is_known_of_a_video_is_kept_on_one_line():
    found = found_video(
        WATCH,
        {"title": "A\nhouse\u202e", "channel": "Ann", "timestamp": 1714979289, "duration": 61, "license": "CC BY"},
    )
    assert (found.title, found.uploader, found.licence, found.duration_s) == ("A house", "Ann", "CC BY", 61.0)
    assert found.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("listed", "published"),
    [
        ({"upload_date": "20240506"}, datetime(2024, 5, 6, tzinfo=UTC)),
        ({"release_timestamp": 0.0, "upload_date": "20240506"}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"upload_date": "2024"}, None),
        ({"timestamp": 1e300}, None),
        ({}, None),
    ],
)
def test_the_day_of_publication_is_read_where_it_is_one(listed: dict[str, Any], published: datetime | None):
    assert found_video(WATCH, listed).published == published


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("title", "uploader", "channel", "license", "duration", "timestamp", "upload_date"), ODD
        ),
    )
)
@settings(max_examples=60)
def test_no_field_is_trusted_to_be_what_it_should(listed: dict[str, Any]):
    found = found_video(WATCH, listed)
    assert found.title.isprintable()
    assert found.duration_s is None or 0 <= found.duration_s < 1e7


class Pages:
    """What yt-dlp made of two pages, of which the first may say anything."""

    def __init__(self, first: Any) -> None:
        self._answers = [{"_type": "video", "url": "https://a.org/v.mp4"}, first]

    def extract_info(self, _address: str, **_: object) -> Any:
        return self._answers.pop()


@pytest.mark.parametrize(
    ("listing", "videos", "odd"),
    [
        ({"_type": "playlist", "entries": [None, 3, "x", [], {"url": "https://a.org/v.mp4"}]}, 1, 4),
        ({"_type": "playlist", "entries": [{"url": "https://a.org/v.mp4"}, {"id": "1"}, {}]}, 1, 2),
        ({"_type": "playlist", "entries": 3}, 0, 0),
        ({"_type": "playlist", "entries": {"url": "https://a.org/v.mp4"}}, 0, 0),
        ({"_type": "playlist", "entries": [{"_type": "url", "ie_key": "YoutubeTab"}]}, 1, 0),
        ({"_type": "url"}, 1, 0),
    ],
)
def test_a_listing_that_is_odd_in_places_gives_what_else_it_holds(listing: Any, videos: int, odd: int):
    skipped = SkippedRows()
    found = list(_flat(Pages(listing), "https://a.org/", skipped, 3))  # type: ignore[arg-type]
    assert [video.origin for video in found] == ["https://a.org/v.mp4"] * videos
    assert skipped.count == odd
