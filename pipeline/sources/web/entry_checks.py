"""Looks at what yt-dlp read of a video's page, before its film is asked for: is there one, and is it there yet?"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.contract.errors import BrokenVideo, DownloadGone, ExtractorTrouble, NotYet
from pipeline.sources.web.explain import cause_of_missing, one_line
from pipeline.sources.web.settings import WebSettings

RUNNING = ("is_live", "post_live")
ANNOUNCED = "is_upcoming"
LATEST = 253402300799.0
"""The last second of the year 9999."""


def check_ready(entry: dict[str, Any], settings: WebSettings) -> None:
    """Raise ``NotYet`` for a premiere, and for a stream that is to come, runs, or is no recording yet."""
    status, origin = entry.get("live_status"), _origin(entry)
    if status in RUNNING or (status is None and entry.get("is_live") is True):
        raise NotYet(f"{origin} is a stream that is no recording yet", time.time() + settings.live_s)
    if status == ANNOUNCED:
        raise announced(origin, entry.get("release_timestamp"), settings)


def announced(origin: str, release: Any, settings: WebSettings) -> NotYet:
    """Return the error of a video that is to come: due at its release, or later where that is unknown or past."""
    present = time.time()
    is_known = isinstance(release, int | float) and present < release <= LATEST
    until = float(release) if is_known else present + settings.announced_s
    return NotYet(f"{origin} is announced and not there yet", until)


def check_pictures(entry: dict[str, Any], warnings: Sequence[str]) -> None:
    """Refuse an entry without a film.

    Raises:
        BrokenVideo: there is sound and no picture.
        DownloadGone: what there is can be played by its own player alone (DRM).
        ExtractorTrouble: there are no formats, or still pictures alone: what reads the page has failed.
    """
    listed = entry.get("formats")
    if listed is None and entry.get("url"):
        return
    formats = [found for found in listed or () if isinstance(found, dict)]
    free = [found for found in formats if found.get("has_drm") in (None, False, "maybe")]
    if any(found.get("vcodec") != "none" for found in free):
        return
    origin = _origin(entry)
    if any(found.get("acodec") != "none" for found in free):
        raise BrokenVideo(f"{origin} has sound and no picture")
    if len(free) < len(formats) or entry.get("_has_drm"):
        raise DownloadGone(f"{origin} is DRM protected")
    raise trouble(entry, free, warnings)


def trouble(entry: dict[str, Any], formats: Iterable[object], warnings: Sequence[str]) -> ExtractorTrouble:
    """Return the error of a page in which no film was found; ``formats`` are still pictures."""
    key = str(entry.get("extractor_key") or entry.get("extractor") or "")
    host = "YouTube" if key.lower().startswith("youtube") else one_line(key) or "the host"
    given = "pictures only" if list(formats) else "no formats"
    said = f" (yt-dlp: {'; '.join(warnings)})" if warnings else ""
    return ExtractorTrouble(f"{host} gives {given}: {cause_of_missing(warnings)}; {_origin(entry)}{said}")


def _origin(entry: dict[str, Any]) -> str:
    return one_line(entry.get("original_url") or entry.get("webpage_url") or entry.get("id"))
