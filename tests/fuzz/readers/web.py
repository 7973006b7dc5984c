"""What hosts answer: feeds, listings, and lists of videos that somebody hands on; notes that transfers keep."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources import listings
from pipeline.sources.entries import SourceEntry, SourceKind
from pipeline.sources.feeds import read_feed
from pipeline.sources.lists import read_list
from pipeline.sources.rules import FoundVideo, SourceRules
from pipeline.sources.skipped import SkippedRows
from pipeline.sources.video_source import parse_source
from pipeline.sources.web.explain import explained
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from tests.fuzz.reader import Reader

RULES = SourceRules(duration_min_s=10, title_exclude=("live$",), creative_commons=True)
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Tours</title>
<item><title>One</title><pubDate>Tue, 01 Oct 2024 10:00:00 +0200</pubDate><itunes:duration>1:02:03</itunes:duration>
<enclosure url="https://example.org/one.mp4" type="video/mp4"/><media:license>CC-BY</media:license></item>
<item><title>Two</title><link>https://example.org/two</link><media:content url="https://example.org/two.mp4"
 type="video/mp4" duration="75"/></item></channel></rss>"""
ATOM = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"
 xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"><title>A</title>
<entry><yt:videoId>abcdefghijk</yt:videoId><title>One</title><author><name>A</name></author>
<published>2024-10-01T10:00:00+00:00</published><media:group><media:title>One</media:title></media:group></entry>
<entry><link rel="enclosure" href="https://example.org/two.webm"/><updated>2024-10-02T10:00:00Z</updated></entry></feed>"""
CSV = "id,start,end,title,duration,published\nabcdefghijk,1.5,20,Tour,1:30,2024-10-01\nbcdefghijkl,0:10,0:20,,,\n"
REALESTATE = "https://www.youtube.com/watch?v=abcdefghijk\n\n1000000 0.5 0.5 0 0\n1033333 0.5 0.5 0 0\n"
VIDEO = {
    "id": "abcdefghijk",
    "ie_key": "Youtube",
    "_type": "url",
    "url": "https://www.youtube.com/watch?v=abcdefghijk",
    "title": "Tour",
    "duration": 90.5,
    "timestamp": 1727776800,
    "channel": "A",
    "license": "Creative Commons",
}
PAGE = {
    "id": "x",
    "extractor_key": "Generic",
    "title": "Tour",
    "upload_date": "20241001",
    "formats": [{"url": "https://example.org/a.mp4", "height": 480}],
    "webpage_url": "https://example.org/a",
    "uploader": "A",
}
TAB = {"_type": "url", "url": "https://example.org/tab", "ie_key": "YoutubeTab"}
LISTING = {"_type": "playlist", "title": "All", "uploader": "A", "entries": [VIDEO, PAGE, TAB]}


def _judged(found: Iterator[FoundVideo]) -> list[object]:
    """Look at videos as discovery does: their ids, and what rules say against them."""
    return [(parse_source(video.origin).video_id, RULES.objection(video, final=True)) for video in found]


def _make_feeds(folder: Path) -> None:
    (folder / "rss.xml").write_text(RSS)
    (folder / "atom.xml").write_text(ATOM)


def _read_feed(folder: Path, name: str) -> object:
    return _judged(read_feed(io.BytesIO((folder / name).read_bytes()), name))


def _make_lists(folder: Path) -> None:
    (folder / "list.csv").write_text(CSV)
    (folder / "bare.txt").write_text("abcdefghijk,1,2\nbcdefghijkl,3,4\n")
    (folder / "realestate").mkdir()
    (folder / "realestate" / "clip.txt").write_text(REALESTATE)


def _read_list(folder: Path, name: str) -> object:
    return _judged(read_list((folder / name).parent if "/" in name else folder / name))


def _make_tables(folder: Path) -> None:
    table = {"id": ["abcdefghijk", "bcdefghijkl"], "start": [1.0, 2.0], "end": [3.0, None], "title": ["a", "b"]}
    pq.write_table(pa.table(table), folder / "list.parquet")
    pq.write_table(
        pa.table({"url": ["https://example.org/a.mp4"], "published": ["2024-10-01"]}), folder / "urls.parquet"
    )


class _Answers:
    """Gives what yt-dlp's extractors gave for a page, whatever the page made them give; then a video."""

    def __init__(self, answer: Any) -> None:
        self._answers = [answer]

    def extract_info(self, _address: str, **_: object) -> Any:
        return self._answers.pop() if self._answers else {**PAGE, "_type": "video"}


def _make_listings(folder: Path) -> None:
    for name, answer in (("tab", TAB), ("page", PAGE), ("listing", LISTING)):
        (folder / f"{name}.json").write_text(json.dumps(answer))


def _read_listing(folder: Path, name: str) -> object:
    try:
        answer = json.loads((folder / name).read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):  # yt-dlp's own code gives dicts alone
        return None
    entry = SourceEntry(kind=SourceKind.CHANNEL, source="https://www.youtube.com/@a")
    return _judged(listings._flat(_Answers(answer), listings._address(entry), SkippedRows(), listings.DEEPEST_LISTING))


def _make_hosts(folder: Path) -> None:
    hosts = Hosts(folder, WebSettings(interval_s=0, jitter=0))
    hosts.wait_turn("example.org")
    hosts.refused("example.org", 1)
    for path in folder.glob("*.lock"):
        path.unlink()
    (path,) = folder.glob("*.json")
    path.write_text('{"site":"example.org","turn_at":1.0,"free_at":2.0,"resting_until":3.0,"refusals":1}')


def _read_hosts(folder: Path, _name: str) -> object:
    hosts = Hosts(folder, WebSettings())
    hosts.refused("example.org", None)
    return hosts.state("example.org"), hosts.states()


def _make_refusals(folder: Path) -> None:
    (folder / "seconds.txt").write_text("120")
    (folder / "date.txt").write_text("Wed, 21 Oct 2026 07:28:00 GMT")


def _read_refusal(folder: Path, name: str) -> object:
    error = OSError("HTTP Error 429: Too Many Requests")
    value = (folder / name).read_bytes().decode("latin-1")
    error.response = SimpleNamespace(headers={"Retry-After": value})  # type: ignore[attr-defined]
    return explained(error, "https://example.org/" + value)


READERS = (
    Reader("feeds", _make_feeds, _read_feed, 2),
    Reader("lists", _make_lists, _read_list, 12),
    Reader(
        "lists_parquet", _make_tables, lambda folder, name: _judged(read_list(folder / name)), 0.003, may_start=True
    ),
    Reader("listings", _make_listings, _read_listing, 12),
    Reader("hosts", _make_hosts, _read_hosts, 2, (".json",), may_write=("",)),
    Reader("refusals", _make_refusals, _read_refusal, 10),
)
