"""Turns what yt-dlp raises into the error that tells what to do: ask later, ask elsewhere, never ask again."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.contract.errors import (
    BrokenVideo,
    DiskFull,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    ExtractorTrouble,
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
    "members on level",
    "channel's members",
    "get access to members",
    "premium members",
    "premium member",
    "for members only",
    "subscribers only",
    "available for subscribers",
    "requires payment",
    "requires a purchase",
    "video is paid",
    "you need to purchase",
    "purchase is required",
    "has not purchased",
    "available for purchase",
    "drm protected",
    "drm-protected",
    "known to use drm",
    "recording is not available",
    "confirm your age",
)
LOGIN_WORDS = ("sign in", "login", "log in")
NO_VIDEO_WORDS = ("unsupported url", "no video", "ffmpeg could not be found")
NO_FORMAT_WORDS = (
    "requested format is not available",
    "no video formats found",
    "only images are available",
    "failed to extract any player response",
    "no player clients have been requested",
)
"""What reads the page found no film in it: with the entry at hand more is known (``check_pictures``)."""

ANNOUNCED_WORDS = (
    "premieres in",
    "premiere will begin",
    "will begin in",
    "will begin shortly",
    "not started yet",
    "has not started",
    "hasn't started",
    "not yet started",
    "has not yet aired",
)
MISSING = (
    (
        "no supported javascript runtime",
        "no JavaScript runtime: pip install 'youtube-occ[web]', see video.web.js_runtimes",
    ),
    ("challenge", "its scripts could not be solved: pip install -U 'yt-dlp[default,deno]'"),
    ("po token", "it wants a PO token: see video.web.plugins and video.web.player_client"),
    ("sabr", "it streams to its own player alone: see video.web.player_client"),
)
"""Why films are missing, by what yt-dlp warns of, first match first."""

LONGEST_TEXT = 300
SECRETS = re.compile(r"(?i)(?<=://)[^/@\s]+(?=@)|(?:cookie|authorization):[^\n]*")


def explained(error: Exception, origin: str, warnings: Sequence[str] = ()) -> VideoError:
    """Return the error that an exception of yt-dlp amounts to.

    Args:
        error: of yt-dlp or of the network.
        origin: what was asked for.
        warnings: what yt-dlp warned of before; they reach the text, and tell why formats are missing.
    """
    own = next((cause for cause in _causes(error) if isinstance(cause, VideoError)), None)
    if own is not None:
        return own
    text = str(error).lower()
    message = f"{origin}: {one_line(SECRETS.sub('[left out]', str(error)))}"
    if warnings:
        message += f" (yt-dlp: {SECRETS.sub('[left out]', '; '.join(warnings))})"
    if _is_full_disk(error, text):
        return DiskFull(f"no space left while fetching {origin}")
    status = next((s for cause in _causes(error) if isinstance(s := getattr(cause, "status", None), int)), None)
    kind = _kind(text, status)
    if kind is ExtractorTrouble:
        return ExtractorTrouble(f"{cause_of_missing(warnings)}; {message}")
    return DownloadRefused(message, _retry_after(error)) if kind is DownloadRefused else kind(message)


def _kind(text: str, status: int | None) -> type[VideoError]:
    """Return the class of error that a message (lower case) and a status of HTTP speak of."""
    if any(words in text for words in REFUSED_WORDS):
        return DownloadRefused
    if status in GONE_STATUS or any(words in text for words in GONE_WORDS):
        return DownloadGone
    if status in REFUSED_STATUS or any(words in text for words in LOGIN_WORDS):
        return DownloadRefused
    if any(words in text for words in NO_FORMAT_WORDS):
        return ExtractorTrouble
    return BrokenVideo if any(words in text for words in NO_VIDEO_WORDS) else DownloadTransient


def speaks_of_release(error: Exception) -> bool:
    """Tell whether an exception of yt-dlp says that a video is announced and not there yet."""
    text = str(error).lower()
    return any(words in text for words in ANNOUNCED_WORDS)


def cause_of_missing(warnings: Sequence[str]) -> str:
    """Return why a page gave no film, as far as yt-dlp's warnings tell, and what to do."""
    said = " ".join(warnings).lower()
    found = next((why for words, why in MISSING if words in said), None)
    return found or "yt-dlp may be too old for it: pip install -U 'yt-dlp[default,deno]'"


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
