"""Why a video could not be built, remembered, and whether trying again makes sense."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.errors import MissingExtra
from pipeline.contract.errors import (
    BrokenVideo,
    CorruptStore,
    DiskFull,
    DownloadGone,
    DownloadRefused,
    DownloadTransient,
    HostResting,
    NoClips,
    NoIndoorClip,
    WeightsAway,
)
from pipeline.contract.records import Box, LeftOut
from pipeline.stages.failures import (
    PROCESS_DIED,
    Failure,
    forget_failure,
    last_failure,
    record_death,
    record_failure,
    worth_trying,
)
from pipeline.store.store import Store
from pipeline.store.video import VideoStore


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    return Store(tmp_path).video("a")


def test_a_failure_is_noted_with_its_stage_and_its_words(video: VideoStore):
    noted = record_failure(video, "clips", "0123", NoClips("no shot is long enough"))
    assert (noted.stage, noted.code, noted.detail, noted.wanted, noted.tries) == (
        "clips",
        "NoClips",
        "no shot is long enough",
        "0123",
        1,
    )
    assert last_failure(video) == noted
    assert datetime.fromisoformat(noted.when) <= datetime.now(UTC)


def test_an_error_of_somebody_else_has_the_name_of_its_class(video: VideoStore):
    assert record_failure(video, "scene", "0123", ZeroDivisionError("by zero")).code == "ZeroDivisionError"


def test_a_video_that_never_failed_has_no_failure_and_one_that_succeeded_neither(video: VideoStore):
    assert last_failure(video) is None
    record_failure(video, "clips", "0123", NoClips("none"))
    forget_failure(video)
    assert last_failure(video) is None
    forget_failure(video)


def test_tries_are_counted_for_the_same_result_and_begin_anew_for_another(video: VideoStore):
    for tries in (1, 2, 3):
        assert record_failure(video, "video", "0123", DiskFull("full")).tries == tries
    assert record_failure(video, "video", "4567", DiskFull("full")).tries == 1


def test_a_host_that_rests_was_not_asked_and_costs_no_try(video: VideoStore):
    assert record_failure(video, "video", "0123", HostResting("later")).tries == 1, (
        "a failure has happened once at least"
    )
    record_failure(video, "video", "0123", DownloadTransient("503"))
    assert record_failure(video, "video", "0123", HostResting("later")).tries == 2


def test_a_process_that_died_without_a_word_is_noted_as_one_that_may_live_next_time(video: VideoStore):
    noted = record_death(video, "0123", "killed by signal 9")
    assert (noted.stage, noted.code, noted.may_pass) == ("process", PROCESS_DIED, True)


def test_very_long_words_are_cut(video: VideoStore):
    assert len(record_failure(video, "clips", "0123", NoClips("x" * 10_000)).detail) == 2000


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"stage": "clips"}', b'{"tries": 0}'])
def test_a_note_that_cannot_be_read_is_no_failure_and_does_not_hinder_the_next(video: VideoStore, content: bytes):
    video.files.write_bytes(content, "videos", "a", "failure.json")
    assert last_failure(video) is None
    assert record_failure(video, "clips", "0123", NoClips("none")).tries == 1


@pytest.mark.parametrize(
    "error",
    [
        DownloadTransient("5"),
        DownloadRefused("4"),
        HostResting("r"),
        DiskFull("d"),
        CorruptStore("c"),
        MissingExtra("m"),
    ],
)
def test_errors_of_the_world_may_pass_a_few_times(video: VideoStore, error: Exception):
    noted = record_failure(video, "video", "0123", error)
    assert noted.may_pass
    assert worth_trying(noted, "0123", give_up_after=2)
    assert not worth_trying(noted.model_copy(update={"tries": 2}), "0123", give_up_after=2)


@pytest.mark.parametrize("error", [BrokenVideo("b"), DownloadGone("g"), NoClips("n"), NoIndoorClip("i"), KeyError("k")])
def test_errors_of_the_video_itself_are_final_until_something_changes(video: VideoStore, error: Exception):
    noted = record_failure(video, "clips", "0123", error)
    assert not noted.may_pass
    assert not worth_trying(noted, "0123", give_up_after=1000)
    assert worth_trying(noted, "4567", give_up_after=1)


def test_what_never_failed_is_worth_trying():
    assert worth_trying(None, "0123", give_up_after=1)


def test_a_failure_has_happened_at_least_once():
    known = {"stage": "clips", "code": "NoClips", "detail": "", "wanted": "0", "when": "2026-01-02T03:04:05+00:00"}
    with pytest.raises(ValidationError):
        Failure(**known, tries=0)


def test_weights_that_no_server_gives_are_tried_again_however_often_they_did_not_come(video: VideoStore):
    for _ in range(5):
        failure = record_failure(video, "reconstruction", "0123", WeightsAway("nobody answers"))
    assert failure.tries == 1
    assert worth_trying(failure, "0123", give_up_after=3)


def test_what_a_stage_left_out_is_noted_where_nothing_is_left(video: VideoStore):
    left_out = (LeftOut("clips", 0, "Static", "the camera stands", (0.1, 1.25), Box(0.1, 0, 0.9, 1, whole=True)),)
    noted = record_failure(video, "clips", "0123", NoClips("none", left_out))
    assert noted.left_out == left_out
    assert last_failure(video) == noted
    assert record_failure(video, "scene", "0123", ZeroDivisionError("by zero")).left_out == ()
