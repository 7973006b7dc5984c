"""Whose fault an error is."""

import subprocess
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models.errors import DamagedArrays, MissingExtra
from pipeline.contract.errors import CorruptStore, ProcessKilled
from pipeline.stages.reconstruction.faults import clip_fault, is_of_the_machine
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
