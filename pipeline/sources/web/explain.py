"""Turns what yt-dlp raises into the error that tells what to do: ask later, ask elsewhere, never ask again."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.contract.errors import (
    BrokenVideo,
    DiskFull,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    VideoError,
)
from pipeline.store.atomic import NO_SPACE

GONE_STATUS = (404, 410, 451)
REFUSED_STATUS = (401, 402, 403, 407, 429)
REFUSED_WORDS = ("not a bot", "rate-limit", "rate limit", "too many requests")
GONE_WORDS = (
    "private video",
    "video unavailable",
    "has been removed",
    "no longer available",
    "does not exist",
    "geo restriction",
    "not available in your country",
    "not made this video available in your country",
    "account associated with this video has been terminated",
    "members-only",
    "confirm your age",
)
LOGIN_WORDS = ("sign in", "login", "log in")
NO_VIDEO_WORDS = ("unsupported url", "no video", "requested format is not available", "ffmpeg could not be found")
LONGEST_TEXT = 300
SECRETS = re.compile(r"(?i)(?<=://)[^/@\s]+(?=@)|(?:cookie|authorization):[^\n]*")


def explained(error: Exception, origin: str) -> VideoError:
    """Return the error that an exception of yt-dlp amounts to; ``origin`` is what was asked for."""
    own = next((cause for cause in _causes(error) if isinstance(cause, VideoError)), None)
    if own is not None:
        return own
    text = str(error).lower()
    message = f"{origin}: {one_line(SECRETS.sub('[left out]', str(error)))}"
    if _is_full_disk(error, text):
        return DiskFull(f"no space left while fetching {origin}")
    status = next((s for cause in _causes(error) if isinstance(s := getattr(cause, "status", None), int)), None)
    kind = _kind(text, status)
    return DownloadRefused(message, _retry_after(error)) if kind is DownloadRefused else kind(message)


def _kind(text: str, status: int | None) -> type[VideoError]:
    """Return the class of error that a message (lower case) and a status of HTTP speak of."""
    if any(words in text for words in REFUSED_WORDS):
        return DownloadRefused
    if status in GONE_STATUS or any(words in text for words in GONE_WORDS):
        return DownloadGone
    if status in REFUSED_STATUS or any(words in text for words in LOGIN_WORDS):
        return DownloadRefused
    return BrokenVideo if any(words in text for words in NO_VIDEO_WORDS) else DownloadTransient


def one_line(text: object) -> str:
    """Return a text of somebody else's on one line, printable, of bearable length."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:LONGEST_TEXT]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything behind it; yt-dlp keeps the origin in ``exc_info`` and ``cause``."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            behind = (getattr(cause, "exc_info", None) or (None, None))[1]
            waiting += [behind, getattr(cause, "cause", None), cause.__cause__, cause.__context__]
            waiting += getattr(cause, "unexpected_errors", ())


def _is_full_disk(error: Exception, text: str) -> bool:
    codes = (getattr(cause, "errno", None) for cause in _causes(error))
    return any(code in NO_SPACE for code in codes) or any(f"[errno {code}]" in text for code in NO_SPACE)


def _retry_after(error: Exception) -> float | None:
    """Return for how many seconds a host wants to be left alone (RFC 9110, 10.2.3), or None."""
    for cause in _causes(error):
        headers = getattr(getattr(cause, "response", None), "headers", None)
        value = headers.get("Retry-After") if headers is not None else None
        if value is None:
            continue
        seconds = re.fullmatch(r"\s*([0-9]{1,9})\s*", value)
        if seconds:
            return float(seconds[1])
        try:
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return None
