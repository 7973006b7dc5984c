"""Targets that people write or the web sends: settings, sources, lists, listings, vocabularies, manifests, videos."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cli.options import flags
from pipeline.contract.vocabulary import load_vocabulary
from pipeline.media import check_decodes, probe
from pipeline.settings import load_settings, resolve
from pipeline.sources.entries import read_entries
from pipeline.sources.listings import found_video
from pipeline.sources.lists import read_list
from pipeline.sources.video_source import parse_source
from pipeline.sources.web.guard import checked
from pipeline.stages.video.bounds import check_bounds
from pipeline.stages.video.containers import check_whole
from pipeline.stages.video.settings import VideoSettings
from tests.fuzz.targets import Target
from tests.pipeline.videos import walk, write_video

SETTINGS = (
    (
        b"profile: classic\nvideo:\n  duration_max_s: 600\n  web: {interval_s: 2, proxy: 'http://example.org:3128'}\n"
        b"clips:\n  frames_per_second: 2.5\ndataset: {order: newest, filters: {motion_min: 0.002}}\n"
    ),
    b"profile: small\nindoor_clips: {backend: sky_rule, threshold: 0.4}\nreconstruction: {backend: colmap}\n",
)
VALUES = (
    b"clips.frames_per_second=3",
    b"video.web.interval_s=1.5",
    b"dataset.filters={motion_min: 0.5}",
)
SOURCES = (
    (
        b"sources:\n  - tour://5\n  - channel: https://www.youtube.com/@houses\n    limit: 20\n    since: 2024-01-01\n"
        b"  - {search: house tour, creative_commons: true, limit: 5}\n  - feed: https://example.org/feed.rss\n"
    ),
    b"profile: small\nsources: [{folder: ./films}, 'https://example.org/a.mp4', {list: videos.csv}]\n",
)
LISTS = (
    b"url,title,start,end\nhttps://www.youtube.com/watch?v=abcdefghijk,A house,3.5,9\nhttps://example.org/b.mp4,B,,\n",
    b"https://www.youtube.com/watch?v=abcdefghijk\n4470000 0.5 0.9 0.5 0.5 0 0 1 0 0 0 0 1 0 0 0 0 1 0\n",
)
ENTRY = {
    "id": "abcdefghijk", "title": "A house", "uploader": "Somebody", "channel": "Houses", "duration": 61.5,
    "timestamp": 1700000000, "upload_date": "20231114", "license": "Creative Commons", "url": "https://example.org/a.mp4",
    "webpage_url": "https://www.youtube.com/watch?v=abcdefghijk", "entries": [], "live_status": "not_live",
}  # fmt: skip
ADDRESSES = (
    b"https://www.youtube.com/watch?v=abcdefghijk",
    b"http://example.org:80/a%20b.mp4?x=1#f",
    b"tour://7",
)


def targets(folder: Path) -> Iterator[Target]:
    """Yield them."""
    yield Target("settings file", folder / "settings.yaml", SETTINGS, lambda path: load_settings(None, path), 4)
    yield Target("--set", folder / "set.txt", VALUES, lambda path: resolve(flags(values=[_text(path)])), 4)
    yield Target("sources file", folder / "sources.yaml", SOURCES, _entries, 10)
    yield Target("sources in words", folder / "sources.txt", ADDRESSES, _named, 20)
    yield Target("address", folder / "address.txt", ADDRESSES[:2], lambda path: checked(_text(path)), 20)
    yield Target("list, CSV", folder / "list.csv", LISTS[:1], lambda path: list(read_list(path)), 20)
    lists = folder / "lists"
    lists.mkdir()
    yield Target(
        "list of RealEstate10K", lists / "4470a3e0c1b2.txt", LISTS[1:], lambda path: list(read_list(path.parent)), 20
    )
    table = pa.table({"url": ["https://example.org/a.mp4"], "title": ["A"], "duration": [30.0]})
    pq.write_table(table, folder / "list.parquet")
    corpus = ((folder / "list.parquet").read_bytes(),)
    yield Target("list, Parquet", folder / "list.parquet", corpus, lambda path: list(read_list(path)), 20)
    yield Target("entry of a listing", folder / "entry.json", (json.dumps(ENTRY).encode(),), _entry, 40)
    yield Target("vocabulary", folder / "words.yaml", (_VOCABULARY,), load_vocabulary, 4)
    film = write_video(folder / "film.mp4", walk(1, 6, size=(64, 48))).read_bytes()
    yield Target("video", folder / "film.mp4", (film,), _video, 1)


_VOCABULARY = (files("pipeline.contract") / "vocabulary.yaml").read_bytes()


def _text(path: Path) -> str:
    """Return an input as a command line or an environment would give it."""
    return path.read_bytes().decode(errors="surrogateescape").replace("\0", "")


def _entries(path: Path) -> object:
    listed = read_entries(str(path))
    return [entry.objection(found_video("https://example.org/a.mp4", ENTRY)) for entry in listed.entries]


def _named(path: Path) -> object:
    """Read sources as a command line gives them; folders are not looked into."""
    return parse_source(_text(path)), read_entries(_text(path))


def _entry(path: Path) -> object:
    try:
        entry = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None  # yt-dlp gives mappings
    return found_video("https://example.org/a.mp4", entry) if isinstance(entry, dict) else None


def _video(path: Path) -> object:
    settings = VideoSettings()
    check_whole(path)
    check_bounds(path, settings)
    held = probe(path)
    check_decodes(path)
    return held
