"""Errors are types that callers act on: which end a video, which a clip, and what they carry."""

import pickle

import pytest

from pipeline.contract import errors
from pipeline.contract.errors import (
    BrokenVideo,
    ClipError,
    CorruptStore,
    DiskFull,
    DownloadError,
    DownloadRefused,
    HostResting,
    InconsistentReconstruction,
    LensZooms,
    NoUpDirection,
    PipelineError,
    ReconstructionCrashed,
    SettingsError,
    TooFast,
    TooFewRegistered,
    TooLittleParallax,
    UnforeseenFault,
    UnlikelyReconstruction,
    UnwantedVideo,
    VideoError,
)


def all_errors() -> list[type[PipelineError]]:
    """Every error that the pipeline raises on purpose."""
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PipelineError)]
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", all_errors())
def test_the_code_of_an_error_is_its_name_and_its_text_what_was_said(kind: type[PipelineError]):
    error = kind("tour-5: what to do")
    assert error.code == kind.__name__
    assert str(error) == "tour-5: what to do"
    assert kind.__doc__


def test_every_error_leaves_out_a_clip_or_a_video_or_is_settled_before_any():
    before_any_video = {kind for kind in all_errors() if not issubclass(kind, (VideoError, ClipError))}
    assert before_any_video >= {PipelineError, SettingsError}
    assert not [kind for kind in all_errors() if issubclass(kind, VideoError) and issubclass(kind, ClipError)]
    assert {kind for kind in all_errors() if issubclass(kind, ClipError)} == {
        ClipError,
        TooFewRegistered,
        TooLittleParallax,
        InconsistentReconstruction,
        LensZooms,
        ReconstructionCrashed,
        UnforeseenFault,
        UnlikelyReconstruction,
        NoUpDirection,
        TooFast,
    }


def test_a_full_disk_is_no_fault_of_a_host():
    assert not issubclass(DiskFull, DownloadError)


def test_a_video_that_is_not_wanted_is_treated_as_one_that_cannot_be_used():
    assert issubclass(UnwantedVideo, BrokenVideo)


def test_what_a_host_asked_for_is_kept_where_it_asked():
    assert DownloadRefused("no").retry_after_s is None
    assert DownloadRefused("no", 12.5).retry_after_s == 12.5
    assert HostResting("later").until == 0
    assert HostResting("later", 1e9).until == 1e9
    assert CorruptStore("junk").group is None
    assert CorruptStore("junk", "scene").group == "scene"


@pytest.mark.parametrize("error", [DownloadRefused("no", 3.0), HostResting("later", 7.0), CorruptStore("j", "scene")])
def test_errors_cross_from_process_to_process_with_all_they_carry(error: PipelineError):
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes of our own
    assert type(arrived) is type(error)
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))
