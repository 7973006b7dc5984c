"""Lists the videos of one entry, whatever its kind, newest first where its host does so."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from models.extras import extra
from pipeline.contract.errors import BrokenListing, ForbiddenAddress
from pipeline.sources.entries import SourceEntry, SourceKind
from pipeline.sources.lists import read_list
from pipeline.sources.rules import FoundVideo
from pipeline.sources.skipped import SkippedRows
from pipeline.sources.video_source import LOCAL_KINDS, YOUTUBE_HOSTS, YOUTUBE_VIDEO_ID, YOUTUBE_WATCH, local_listing
from pipeline.sources.web.explain import explained, one_line
from pipeline.sources.web.guard import checked
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings

if TYPE_CHECKING:
    from pipeline.sources.web.client import WebClient

SEARCH_RESULTS = 100
"""Results asked for where a search has no limit."""

DEEPEST_LISTING = 3
"""A channel lists tabs, which list videos."""


def list_videos(
    entry: SourceEntry,
    folder: Path,
    settings: WebSettings,
    hosts: Hosts | None,
    skipped: SkippedRows | None = None,
) -> Iterator[FoundVideo]:
    """Yield the videos that an entry lists now; what is not asked for is not fetched.

    Args:
        entry: what to list.
        folder: where relative paths start.
        settings: how hosts are asked.
        hosts: their rate limits.
        skipped: takes note of what is listed and is no video.

    Raises:
        SettingsError: the entry names nothing.
        BrokenListing: the list or feed cannot be read.
        MissingExtra: it is on the web, and the packages for that are not installed.
        DownloadGone, DownloadRefused, DownloadTransient, HostResting, ForbiddenAddress: its host does not give it.
    """
    if entry.kind in LOCAL_KINDS:
        yield from (FoundVideo(video.origin) for video in local_listing(entry, folder, skipped))
    elif entry.kind is SourceKind.LIST:
        yield from read_list(folder / entry.source, settings.row_group_bytes_max, skipped)
    else:
        yield from _ask(entry, settings, hosts, SkippedRows() if skipped is None else skipped)


def _ask(entry: SourceEntry, settings: WebSettings, hosts: Hosts | None, skipped: SkippedRows) -> Iterator[FoundVideo]:
    with extra("web", f"listing {entry.name}"):
        from yt_dlp.utils import YoutubeDLError

        from pipeline.sources.feeds import read_feed
        from pipeline.sources.web.client import WebClient

    named = () if entry.kind is SourceKind.SEARCH else (entry.source,)
    options = {"extract_flat": True, "lazy_playlist": True, "socket_timeout": 20, "extractor_retries": 0}
    warnings: list[str] = []
    try:
        with WebClient(options, settings, named, hosts) as client:
            warnings = client.warnings
            if entry.kind is SourceKind.FEED:
                with client.open_page(entry.source) as answer:
                    yield from read_feed(answer, entry.name, skipped)
            else:
                yield from _flat(client, _address(entry), skipped, DEEPEST_LISTING)
    except (YoutubeDLError, OSError) as error:
        raise explained(error, entry.name, warnings) from error


def _address(entry: SourceEntry) -> str:
    if entry.kind is SourceKind.SEARCH:
        return f"ytsearch{entry.limit or SEARCH_RESULTS}:{entry.source}"
    parts = checked(entry.source)
    is_bare = parts.hostname in YOUTUBE_HOSTS and len([part for part in parts.path.split("/") if part]) <= (
        1 if "/@" in parts.path else 2
    )
    # A bare channel lists its tabs; the one with the videos is asked for at once.
    if entry.kind is SourceKind.CHANNEL and is_bare:
        return entry.source.rstrip("/") + "/videos"
    return entry.source


def _flat(
    client: "WebClient", address: str, skipped: SkippedRows, depth: int, key: str | None = None
) -> Iterator[FoundVideo]:
    found = client.extract_info(address, download=False, process=False, ie_key=key)
    if found is None or depth == 0:
        raise BrokenListing(f"{one_line(address)} lists no videos")
    kind = found.get("_type", "video")
    if kind in ("url", "url_transparent"):
        yield from _flat(client, str(found.get("url") or ""), skipped, depth - 1, found.get("ie_key"))
    elif kind in ("playlist", "multi_video"):
        for number, entry in enumerate(_listed(found.get("entries")), start=1):
            if isinstance(entry, dict) and entry:
                yield from _entry(client, entry, found, skipped, depth)
            else:
                skipped.add(f"entry {number}", "is empty")
    else:
        yield from _entry(client, found, {}, skipped, depth)


def _entry(
    client: "WebClient", entry: dict[str, Any], listing: dict[str, Any], skipped: SkippedRows, depth: int
) -> Iterator[FoundVideo]:
    if entry.get("_type") == "url" and str(entry.get("ie_key", "")).endswith(("Tab", "Playlist")):
        yield from _flat(client, str(entry.get("url") or ""), skipped, depth - 1, entry.get("ie_key"))
        return
    origin = _origin(entry)
    if origin is None:
        skipped.add(f"{entry.get('title') or entry.get('id') or 'an entry'}", "has no address that may be asked")
    else:
        yield found_video(origin, {"uploader": listing.get("uploader") or listing.get("channel"), **_given(entry)})


def _listed(listed: Any) -> Iterable[Any]:
    """Return what a page lists, where it is a list; yt-dlp passes on what pages say."""
    return listed if isinstance(listed, Iterable) and not isinstance(listed, str | bytes | dict) else ()


def _mappings(listed: Any) -> Iterator[dict[str, Any]]:
    return (held for held in _listed(listed) if isinstance(held, dict))


def _origin(entry: dict[str, Any]) -> str | None:
    """Return the address of a listed video, or None where it has none that may be asked."""
    if str(entry.get("ie_key") or entry.get("extractor_key")) == "Youtube" and YOUTUBE_VIDEO_ID.fullmatch(
        str(entry.get("id"))
    ):
        return f"{YOUTUBE_WATCH}{entry['id']}"
    formats = [held.get("url") for held in _mappings(entry.get("formats"))]
    for candidate in (entry.get("url"), *reversed(formats), entry.get("webpage_url")):
        try:
            checked(urlsplit(str(candidate or ""))._replace(fragment="").geturl())
        except (ForbiddenAddress, ValueError):
            continue
        return urlsplit(str(candidate))._replace(fragment="").geturl()
    return None


def found_video(origin: str, entry: dict[str, Any]) -> FoundVideo:
    """Return what yt-dlp knows of a video; every field of its entry may be missing or odd."""
    duration = entry.get("duration")
    return FoundVideo(
        origin=origin,
        title=one_line(entry.get("title") or ""),
        uploader=one_line(entry.get("uploader") or entry.get("channel") or ""),
        published=_published(entry),
        duration_s=float(duration) if isinstance(duration, int | float) and 0 <= duration < 1e7 else None,
        licence=one_line(entry.get("license") or ""),
    )


def _given(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}


def _published(entry: dict[str, Any]) -> datetime | None:
    stamp, day = entry.get("timestamp") or entry.get("release_timestamp"), str(entry.get("upload_date") or "")
    try:
        if isinstance(stamp, int | float):
            return datetime.fromtimestamp(int(stamp), UTC)
        return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) if day else None
    except (ValueError, OverflowError, OSError):
        return None
