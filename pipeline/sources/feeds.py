"""Reads RSS 2.0 and Atom (RFC 4287) feeds, YouTube's among them, an entry at a time.

YouTube's channel feeds are Atom with ``yt:videoId`` (www.youtube.com/feeds/videos.xml?channel_id=...); yt-dlp's generic
reader takes RSS alone. A feed is hostile: no entities, no document type, nothing outside the document is read.
"""

from collections.abc import Iterator
from typing import Any, Protocol
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipeline.contract.errors import BrokenListing, ForbiddenAddress
from pipeline.sources.dates import as_seconds, as_time
from pipeline.sources.rules import FoundVideo
from pipeline.sources.skipped import SkippedRows
from pipeline.sources.video_source import YOUTUBE_VIDEO_ID, YOUTUBE_WATCH
from pipeline.sources.web.explain import one_line
from pipeline.sources.web.guard import checked

ATOM = "{http://www.w3.org/2005/Atom}"
YOUTUBE = "{http://www.youtube.com/xml/schemas/2015}"
MEDIA = "{http://search.yahoo.com/mrss/}"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
ENTRY_TAGS = ("item", f"{ATOM}entry")
LICENCE_TAGS = (f"{MEDIA}license", "{http://backend.userland.com/creativeCommonsRssModule}license")
ENTRY_NODES_MAX = 2000
"""Elements of one entry; a feed that never closes an entry would fill the memory."""


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, amount: int, /) -> bytes:
        """Return up to ``amount`` bytes."""
        ...


def read_feed(file: Readable, name: str, skipped: SkippedRows | None = None) -> Iterator[FoundVideo]:
    """Yield the videos of a feed in its order; memory does not grow with their number.

    Args:
        file: the feed, RSS or Atom.
        name: of the feed, for messages.
        skipped: takes note of entries that name no video.

    Raises:
        BrokenListing: it is no well-formed XML, declares entities or a document type, or is neither RSS nor Atom.
    """
    skipped = SkippedRows() if skipped is None else skipped
    try:
        for number, entry in enumerate(_entries(file, name), start=1):
            if (found := _found(entry)) is not None:
                yield found
            else:
                title = one_line(_text(entry, "title", f"{ATOM}title")) or "without a title"
                skipped.add(f"entry {number} ({title})", "has no address that may be asked")
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise BrokenListing(f"{name} is no feed: {error or type(error).__name__}") from error


def _entries(file: Readable, name: str) -> Iterator[Element]:
    open_elements: list[Element] = []
    nodes = 0
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            open_elements.append(element)
            nodes += 1
            if nodes > ENTRY_NODES_MAX:
                raise BrokenListing(f"{name} holds an entry of more than {ENTRY_NODES_MAX} elements")
            if len(open_elements) == 1 and element.tag not in ("rss", f"{ATOM}feed"):
                raise BrokenListing(f"{name} is neither RSS nor Atom: it begins with <{one_line(element.tag)}>")
            continue
        open_elements.pop()
        if element.tag in ENTRY_TAGS:
            yield element
        if not any(parent.tag in ENTRY_TAGS for parent in open_elements):
            nodes = 0
            element.clear()
            for parent in open_elements[-1:]:
                parent.clear()


def _found(entry: Element) -> FoundVideo | None:
    """Return the video of an entry, or None where it names none that may be fetched."""
    origin = _origin(entry)
    if origin is None:
        return None
    return FoundVideo(
        origin=origin,
        title=one_line(_text(entry, "title", f"{ATOM}title", f"{MEDIA}group/{MEDIA}title")),
        uploader=one_line(_text(entry, f"{ATOM}author/{ATOM}name", "author", f"{ITUNES}author")),
        published=as_time(_text(entry, f"{ATOM}published", "pubDate", f"{ATOM}updated")),
        duration_s=_duration(entry),
        licence=one_line(_text(entry, *LICENCE_TAGS)),
    )


def _origin(entry: Element) -> str | None:
    youtube = _text(entry, f"{YOUTUBE}videoId")
    if YOUTUBE_VIDEO_ID.fullmatch(youtube):
        return f"{YOUTUBE_WATCH}{youtube}"
    media = [*entry.iter("enclosure"), *entry.iter(f"{MEDIA}content")]
    videos = [element.get("url", "") for element in media if element.get("type", "video/").startswith("video/")]
    links = [element.get("href", "") for element in entry.iter(f"{ATOM}link")]
    enclosed = [e.get("href", "") for e in entry.iter(f"{ATOM}link") if e.get("rel") == "enclosure"]
    for candidate in (*videos, *enclosed, _text(entry, "link"), *links):
        try:
            checked(candidate.strip())
        except ForbiddenAddress:
            continue
        return candidate.strip()
    return None


def _text(entry: Element, *paths: str) -> str:
    for path in paths:
        found = entry.find(path)
        if found is not None and found.text:
            return found.text.strip()
    return ""


def _duration(entry: Element) -> float | None:
    contents: list[Any] = [*entry.iter(f"{MEDIA}content"), *entry.iter(f"{YOUTUBE}duration")]
    values = [element.get("duration") or element.get("seconds") for element in contents]
    for value in (*values, _text(entry, f"{ITUNES}duration")):
        seconds = as_seconds(value)
        if seconds is not None:
            return seconds
    return None
