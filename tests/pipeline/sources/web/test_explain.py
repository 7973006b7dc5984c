"""What goes wrong on the web, told as what to do about it."""

import errno
import urllib.error
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils import DownloadError as YtDlpError
from yt_dlp.utils import ExtractorError

from pipeline.contract.errors import (
    BrokenVideo,
    DiskFull,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    ExtractorTrouble,
    ForbiddenAddress,
    VideoError,
)
from pipeline.sources.web.explain import LONGEST_TEXT, explained, one_line

ORIGIN = "https://a.org/v"


def answer(status: int, **headers: str) -> HTTPError:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return HTTPError(Response(None, ORIGIN, message, status=status))


def as_ytdlp_raises(cause: Exception) -> YtDlpError:
    """An error as it leaves yt-dlp: inside an extractor's, inside the client's."""
    inner = ExtractorError(str(cause), cause=cause)
    return YtDlpError(str(inner), exc_info=(type(inner), inner, None))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, DownloadGone),
        (410, DownloadGone),
        (451, DownloadGone),
        (401, DownloadRefused),
        (403, DownloadRefused),
        (429, DownloadRefused),
        (500, DownloadTransient),
        (503, DownloadTransient),
        (418, DownloadTransient),
    ],
)
def test_a_status_tells_what_to_do_however_deep_it_is_buried(status: int, kind: type[VideoError]):
    assert type(explained(as_ytdlp_raises(answer(status)), ORIGIN)) is kind
    assert type(explained(answer(status), ORIGIN)) is kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Sign in to confirm you\u2019re not a bot", DownloadRefused),
        ("This content isn't available: rate-limited by YouTube. HTTP Error 404", DownloadRefused),
        ("Private video. Sign in if you've been granted access", DownloadGone),
        ("Video unavailable", DownloadGone),
        ("This video has been REMOVED by the uploader", DownloadGone),
        ("The uploader has not made this video available in your country", DownloadGone),
        ("Join this channel to get access to members-only content", DownloadGone),
        ("Sign in to confirm your age", DownloadGone),
        ("This video requires login", DownloadRefused),
        ("Unsupported URL: https://a.org", BrokenVideo),
        ("Requested format is not available", ExtractorTrouble),
        ("[x] 1: No video formats found!", ExtractorTrouble),
        ("No video could be found in this post", BrokenVideo),
        ("This video requires payment to watch", DownloadGone),
        ("The video is available to this channel's members on level: Gold", DownloadGone),
        ("This video is DRM protected", DownloadGone),
        ("The requested site is known to use DRM protection. It will NOT be supported.", DownloadGone),
        ("This VOD is for subscribers only. Use --cookies", DownloadGone),
        ("Ticket purchase is required for this stream", DownloadGone),
        ("Connection reset by peer", DownloadTransient),
        ("", DownloadTransient),
    ],
)
def test_words_tell_what_to_do_where_no_status_does(said: str, kind: type[VideoError]):
    assert type(explained(YtDlpError(said), ORIGIN)) is kind


def test_an_error_of_our_own_comes_back_as_it_was_raised():
    own = ForbiddenAddress("a private network")
    assert explained(as_ytdlp_raises(own), ORIGIN) is own
    wrapped = YtDlpError("wrapped")
    wrapped.__cause__ = own
    assert explained(wrapped, ORIGIN) is own


def test_causes_that_lead_round_in_a_circle_come_to_an_end():
    first, second = YtDlpError("first"), YtDlpError("second")
    first.__cause__, second.__cause__ = second, first
    assert type(explained(first, ORIGIN)) is DownloadTransient


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_is_told_from_a_broken_transfer(number: int):
    full = OSError(number, "no space")
    assert type(explained(as_ytdlp_raises(full), ORIGIN)) is DiskFull
    assert type(explained(YtDlpError(f"unable to write data: [Errno {number}] x"), ORIGIN)) is DiskFull


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("soon", None),
        ("1e9", None),
        ("12\x1e", 12),
        ("Mon, 06 May 2024 07:08:09 +99999999999999999999", None),
    ],
)
def test_the_rest_that_a_host_asks_for_is_read_in_seconds(written: str, seconds: float | None):
    refused = explained(as_ytdlp_raises(answer(429, Retry_After=written)), ORIGIN)
    assert isinstance(refused, DownloadRefused)
    assert refused.retry_after_s == seconds


def test_the_rest_that_a_host_asks_for_may_be_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=1000), usegmt=True)
    refused = explained(answer(429, Retry_After=later), ORIGIN)
    assert isinstance(refused, DownloadRefused)
    assert refused.retry_after_s == pytest.approx(1000, abs=60)
    past = explained(answer(429, Retry_After="Mon, 06 May 2024 07:08:09 GMT"), ORIGIN)
    assert isinstance(past, DownloadRefused)
    assert past.retry_after_s == 0


def test_a_refusal_without_a_rest_names_none():
    refused = explained(urllib.error.URLError("Too Many Requests"), ORIGIN)
    assert isinstance(refused, DownloadRefused)
    assert refused.retry_after_s is None


@pytest.mark.parametrize(
    "said",
    ["proxy http://user:very-secret@proxy.org failed", "Cookie: session=very-secret", "Authorization: very-secret"],
)
def test_passwords_and_cookies_are_left_out_of_messages(said: str):
    message = str(explained(YtDlpError(said), ORIGIN))
    assert "very-secret" not in message
    assert message.startswith(f"{ORIGIN}: ")


@given(st.text(max_size=1000))
@settings(max_examples=60)
def test_a_strangers_text_becomes_one_printable_line_and_stays_one(text: str):
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= LONGEST_TEXT
    assert one_line(line).strip() == line.strip()


def test_what_is_no_text_is_written_as_one():
    assert one_line(None) == "None"
    assert one_line(" a\t\nb\u202e c ") == "a b c"
