"""Lengths and dates as lists and feeds write them: read, or None, and never an error."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.dates import as_seconds, as_time

MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
FIRST = datetime(1980, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("75", 75), ("1:15", 75), ("0:01:15", 75), ("1:02:03", 3723), ("12.5", 12.5), (" 7 ", 7), ("0", 0), ("9:90", 630)],
)
def test_lengths_are_read_as_seconds(text: str, seconds: float):
    assert as_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", [None, "", ":", "1:", "-5", "1:-2", "1:2:3:4", "1:" * 400 + "1", "PT1M", "inf", "nan", "1e9", "٣x"]
)
def test_what_is_no_length_is_none(text: str | None):
    assert as_seconds(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-06T07:08:09+00:00",
        "2024-05-06T07:08:09Z",
        "2024-05-06T07:08:09.999",
        "2024-05-06 07:08:09",
        "2024-05-06T09:08:09+02:00",
        "Mon, 06 May 2024 07:08:09 GMT",
        "Mon, 06 May 2024 09:08:09 +0200",
        "  2024-05-06T07:08:09Z\n",
    ],
)
def test_dates_of_feeds_are_read_in_utc_and_whole_seconds(text: str):
    found = as_time(text)
    assert found == MOMENT
    assert found.tzinfo is UTC


def test_a_day_begins_at_midnight_of_utc():
    assert as_time("2024-05-06") == datetime(2024, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "0001-01-01T00:00:00+14:00", "Mon, 99 May 2024"])
def test_what_is_no_date_is_none(text: str):
    assert as_time(text) is None


@given(st.text(max_size=30))
@settings(max_examples=60)
def test_nothing_that_is_written_is_an_error(text: str):
    moment, seconds = as_time(text), as_seconds(text)
    assert moment is None or moment.tzinfo is UTC
    assert seconds is None or seconds >= 0


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
@settings(max_examples=40)
def test_hours_minutes_and_seconds_add_up(hours: int, minutes: int, seconds: int):
    assert as_seconds(f"{hours}:{minutes:02}:{seconds:02}") == 3600 * hours + 60 * minutes + seconds


@given(st.datetimes(FIRST, timezones=st.just(UTC)))
@settings(max_examples=40)
def test_a_date_that_was_written_is_read_back(moment: datetime):
    assert as_time(moment.isoformat()) == moment.replace(microsecond=0)
