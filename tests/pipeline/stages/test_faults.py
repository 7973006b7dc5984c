"""Whose fault an error is."""

import errno
import subprocess
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models.errors import DamagedArrays, MissingExtra, WeightsUnavailable
from pipeline.contract.errors import CorruptStore, DiskFull, NoClips, OutOfMemory, ProcessKilled, StorageFailed
from pipeline.stages.faults import clip_fault, is_of_the_machine, video_fault
from tests.models.memory_errors import RUN_OUT


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error", [ValueError("empty"), np.linalg.LinAlgError("Singular matrix"), IndexError(), KeyError()]
)
def test_what_comes_of_the_pictures_is_the_clips(error: Exception):
    fault = clip_fault(raised(error))
    assert fault is not None
    assert type(error).__name__ in str(fault)
    assert "test_faults.py" in str(fault)


def test_what_opencv_refuses_is_the_clips():
    with pytest.raises(cv2.error) as caught:
        cv2.resize(np.zeros((0, 0), np.uint8), (3, 3))
    assert clip_fault(caught.value) is not None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(5, "Input/output error"),
        subprocess.SubprocessError("no shell"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("can't start new thread"),
        RuntimeError("SQLite error: database or disk is full"),
        ModuleNotFoundError("No module named 'pycolmap'"),
        MissingExtra("pip install"),
        DamagedArrays("half a file"),
        ProcessKilled("killed"),
        CorruptStore("frames"),
    ],
)
def test_what_comes_of_the_machine_or_the_video_is_not(error: Exception):
    assert clip_fault(raised(error)) is None


@pytest.mark.parametrize("runs_out", RUN_OUT)
def test_memory_that_torch_runs_out_of_is_not_the_clips(runs_out: Callable[[], None]):
    with pytest.raises(RuntimeError) as caught:
        runs_out()
    assert clip_fault(caught.value) is None


def test_a_request_to_end_is_not_the_clips_whatever_a_library_makes_of_it():
    error = RuntimeError("initialization failed")
    error.__cause__ = SystemExit()
    assert clip_fault(raised(error)) is None


def test_the_words_of_the_machine_are_known_in_any_case():
    assert is_of_the_machine("terminate called after throwing an instance of 'std::bad_alloc'")
    assert not is_of_the_machine("max() arg is an empty sequence")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("max() arg is an empty sequence"),
        np.linalg.LinAlgError("Singular matrix"),
        KeyError(),
        AssertionError(),
        FileNotFoundError(2, "No such file"),
        ImportError("cannot import name"),
        subprocess.SubprocessError("ended with 1"),
    ],
)
def test_an_error_that_nobody_foresaw_is_the_videos_with_type_words_and_place(error: Exception):
    said = video_fault(raised(error))
    assert said is not None
    assert said.startswith(f"{type(error).__name__}: ")
    assert str(error) in said
    assert "test_faults.py, line " in said


@pytest.mark.parametrize("error", [CorruptStore("frames"), NoClips("cuda.mp4 has none"), MissingExtra("pip install a")])
def test_an_error_that_was_raised_on_purpose_is_the_videos_in_its_own_words(error: Exception):
    assert video_fault(raised(error)) == f"{type(error).__name__}: {error}"


def disk_full_below() -> StorageFailed:
    error = StorageFailed("OSError")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


def asked_to_end() -> Exception:
    error = RuntimeError("initialization failed")
    error.__cause__ = KeyboardInterrupt()
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemory("more than there is"),
        DiskFull("no space"),
        OSError(errno.ENOSPC, "No space left on device"),
        disk_full_below(),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("SQLite error: database or disk is full"),
        WeightsUnavailable("nowhere"),
        asked_to_end(),
    ],
)
def test_what_every_other_video_would_fail_by_is_not_the_videos(error: Exception):
    assert video_fault(raised(error)) is None
