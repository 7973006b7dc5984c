"""What the catalog notes after a host was asked: final, later, or never mind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import (
    BrokenVideo,
    ChangedMeanwhile,
    DiskFull,
    DownloadError,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    DuplicateVideo,
    ExtractorTrouble,
    ForbiddenAddress,
    HostResting,
    NotYet,
    UnwantedVideo,
    VideoError,
)
from pipeline.contract.records import Source
from pipeline.sources.catalog.rows import BUILDABLE, CatalogRow, VideoState
from pipeline.sources.outcomes import ERRORS, after_arrival, after_error, refuse_final
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.settings import WebSettings

SETTINGS = WebSettings(retry_s=100, jitter=0, pause_max_s=1000, tries_max=5)
ROW = CatalogRow("v", VideoSource.of_origin("https://a.org/v"), when=datetime(2026, 1, 2, tzinfo=UTC))
ARRIVED = Source("v", "https://a.org/v", "its title", "somebody", "CC BY", "f" * 64, 9, 640, 480, 30.0, 61.5)


def seconds_from_now(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - datetime.now(UTC)).total_seconds()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (DownloadGone("404"), VideoState.GONE),
        (ForbiddenAddress("private"), VideoState.REJECTED),
        (BrokenVideo("junk"), VideoState.REJECTED),
        (UnwantedVideo("too long"), VideoState.UNWANTED),
        (DuplicateVideo("same"), VideoState.DUPLICATE),
        (DownloadTransient("503"), VideoState.RETRY),
        (DownloadRefused("429"), VideoState.RETRY),
        (ChangedMeanwhile("other"), VideoState.RETRY),
    ],
)
def test_every_error_leads_to_its_state(error: VideoError, state: VideoState):
    after = after_error(ROW, error, is_local=False, settings=SETTINGS)
    assert (after.state, after.tries, after.last_error) == (state, 1, error.code)
    assert (after.next_try is None) == (state is not VideoState.RETRY or isinstance(error, DownloadRefused))


@pytest.mark.parametrize("error", [DownloadGone("gone"), BrokenVideo("junk"), DownloadTransient("busy")])
def test_a_file_of_this_machine_may_be_asked_for_again_at_once(error: VideoError):
    after = after_error(ROW, error, is_local=True, settings=SETTINGS)
    assert (after.state, after.tries, after.last_error, after.next_try) == (VideoState.NEW, 1, error.code, None)


def test_a_duplicate_stays_one_wherever_it_lies():
    assert after_error(ROW, DuplicateVideo("same"), is_local=True, settings=SETTINGS).state is VideoState.DUPLICATE


def test_a_host_that_was_not_asked_costs_no_try():
    until = datetime.now(UTC).timestamp() + 500
    after = after_error(ROW, HostResting("later", until), is_local=False, settings=SETTINGS)
    assert (after.tries, after.state, after.last_error) == (0, VideoState.NEW, "")
    assert seconds_from_now(after.next_try) == pytest.approx(500, abs=60)


def test_a_full_disk_is_no_fault_of_the_video():
    after = after_error(ROW, DiskFull("full"), is_local=False, settings=SETTINGS)
    assert (after.tries, after.state, after.last_error) == (0, VideoState.NEW, "DiskFull")


def test_pauses_double_up_to_their_bound_and_then_it_is_given_up():
    row, pauses = ROW, []
    for _ in range(SETTINGS.tries_max - 1):
        row = after_error(row, DownloadTransient("503"), is_local=False, settings=SETTINGS)
        pauses.append(seconds_from_now(row.next_try))
    # A minute is for a machine that is busy between the two looks at the clock.
    assert pauses == pytest.approx([100, 200, 400, 800], abs=60)
    row = after_error(row, DownloadTransient("503"), is_local=False, settings=SETTINGS)
    assert (row.state, row.tries, row.next_try) == (VideoState.GIVEN_UP, 5, None)


@given(st.integers(0, 2000), st.floats(0, 10))
@settings(max_examples=30)
def test_no_pause_is_longer_than_its_bound(tries: int, jitter: float):
    patient = WebSettings(retry_s=100, jitter=jitter, pause_max_s=1000, tries_max=1000)
    after = after_error(replace(ROW, tries=tries), DownloadTransient("503"), is_local=False, settings=patient)
    assert after.next_try is None or -60 < seconds_from_now(after.next_try) <= 1000
    assert (after.state is VideoState.GIVEN_UP) == (tries + 1 >= 1000)


def test_what_arrived_fills_in_what_the_listing_did_not_say():
    failed = replace(ROW, state=VideoState.RETRY, last_error="DownloadTransient", next_try=ROW.when, tries=2)
    after = after_arrival(failed, ARRIVED)
    assert (after.state, after.last_error, after.next_try, after.tries) == (VideoState.FETCHED, "", None, 2)
    assert (after.sha256, after.duration_s) == (ARRIVED.sha256, 61.5)
    assert (after.title, after.uploader, after.licence) == ("its title", "somebody", "CC BY")


def test_what_the_listing_said_stays():
    after = after_arrival(replace(ROW, title="listed", uploader="channel", licence="CC0"), ARRIVED)
    assert (after.title, after.uploader, after.licence) == ("listed", "channel", "CC0")


@pytest.mark.parametrize("state", BUILDABLE)
def test_a_video_that_may_lead_on_is_refused_only_until_its_time_has_come(state: VideoState):
    hour = timedelta(hours=1)
    refuse_final(replace(ROW, state=state))
    refuse_final(replace(ROW, state=state, next_try=datetime.now(UTC) - hour))
    with pytest.raises(HostResting):
        refuse_final(replace(ROW, state=state, next_try=datetime.now(UTC) + hour))


@pytest.mark.parametrize("state", sorted(set(VideoState) - set(BUILDABLE)))
def test_a_final_video_is_refused_with_the_error_it_ended_with(state: VideoState):
    with pytest.raises(ERRORS[state], match=rf"v is {state} since 2026-01-02 \(Why\) and is not asked for"):
        refuse_final(replace(ROW, state=state, last_error="Why"))


def test_every_final_state_has_its_error():
    assert set(ERRORS) == set(VideoState) - set(BUILDABLE)
    assert all(issubclass(error, (DownloadError, BrokenVideo, DuplicateVideo)) for error in ERRORS.values())


def test_a_video_whose_time_has_not_come_says_when_it_does():
    later = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(HostResting, match=f"not due before {later:%Y-%m-%d %H:%M:%S} UTC") as resting:
        refuse_final(replace(ROW, state=VideoState.RETRY, next_try=later))
    assert resting.value.until == later.timestamp()


@pytest.mark.parametrize("state", [VideoState.NEW, VideoState.RETRY, VideoState.NOT_YET])
def test_a_film_that_is_to_come_costs_no_try_however_often_it_is_looked_for(state: VideoState):
    row = replace(ROW, state=state, tries=SETTINGS.tries_max - 1)
    for _ in range(3):
        row = after_error(row, NotYet("a premiere", 4e9), is_local=False, settings=SETTINGS)
    assert (row.state, row.tries, row.last_error) == (VideoState.NOT_YET, SETTINGS.tries_max - 1, "NotYet")
    assert row.next_try == datetime.fromtimestamp(4e9, UTC)
    assert after_arrival(row, ARRIVED).state is VideoState.FETCHED


def test_an_extractors_trouble_gives_up_no_video_and_keeps_it_from_coming_first_again():
    row = replace(ROW, tries=SETTINGS.tries_max + 3)
    after = after_error(row, ExtractorTrouble("pictures only"), is_local=False, settings=SETTINGS)
    assert (after.state, after.tries) == (VideoState.RETRY, SETTINGS.tries_max + 4)
    assert 900 < seconds_from_now(after.next_try) <= SETTINGS.pause_max_s
