"""Lengths and dates as lists and feeds write them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def as_seconds(text: str | None) -> float | None:
    """Return ``75``, ``1:15``, ``0:01:15`` or ``75,5`` as seconds, else None."""
    try:
        parts = [float(part) for part in (text or "").strip().replace(",", ".").split(":")]
    except ValueError:
        return None
    if len(parts) > 3 or not min(parts) >= 0:
        return None
    seconds = sum(part * 60**place for place, part in enumerate(reversed(parts)))
    return seconds if seconds < 1e7 else None


def as_time(text: str) -> datetime | None:
    """Return a date of RFC 822 or ISO 8601 in UTC, else None; one without a zone is taken as UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text.strip())
        except (ValueError, TypeError, OverflowError):
            continue
        try:
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except OverflowError:
            return None
        return found.replace(microsecond=0)
    return None
