"""Whose fault an error is that nobody foresaw: the clip's or the video's, which is lost, or the machine's."""

import traceback
from pathlib import Path
from subprocess import SubprocessError

from models.errors import MissingExtra, ModelError, UnusableInput
from models.memory import is_out_of_main_memory
from pipeline.contract.errors import DiskFull, OutOfMemory, PipelineError, UnforeseenFault, interruption
from pipeline.store.atomic import NO_SPACE

_NOT_THE_CLIPS = (PipelineError, ModelError, MemoryError, OSError, SubprocessError, ImportError)
"""Errors raised on purpose for the whole video, and those that tell of the machine and not of the pictures."""

_OF_ONE_VIDEO = (PipelineError, MissingExtra, UnusableInput)
"""Errors raised on purpose that lose one video; of other weights and devices every video knows the same to say."""

_WORDS_OF_THE_MACHINE = (
    "out of memory",
    "insufficient memory",
    "bad_alloc",
    "allocate memory",
    "can't start new thread",
    "disk is full",
    "cuda",
    "cudnn",
)
"""What libraries written in C++ say in errors of other types (OpenCV, torch, SQLite)."""


def clip_fault(error: Exception) -> UnforeseenFault | None:
    """Return the error that leaves one clip out for ``error``, or None where it says nothing of the clip."""
    if isinstance(error, _NOT_THE_CLIPS) or _is_the_machines(error):
        return None
    return UnforeseenFault(f"{type(error).__name__}: {str(error)[:300] or 'without a word'}{place_of(error)}")


def video_fault(error: Exception) -> str | None:
    """Return what to say of a video that ``error`` loses, its type first, or None where others would fail the same.

    That is what a full disk, memory that ran out, missing weights, or a request to end brings up.
    """
    if isinstance(error, _OF_ONE_VIDEO):  # their words may be those of a file's name
        of_all = isinstance(error, DiskFull | OutOfMemory) or _no_space(error) or interruption(error) is not None
    else:
        of_all = isinstance(error, ModelError) or _no_space(error) or _is_the_machines(error)
    return None if of_all else f"{type(error).__name__}: {told(error)}"


def told(error: Exception) -> str:
    """Return the words of an error, and where it came up if nobody foresaw it."""
    words = str(error).strip() or "without a word"
    return words if isinstance(error, PipelineError | ModelError) else f"{words}{place_of(error)}"


def place_of(error: Exception) -> str:
    """Return where an error came up, in parentheses; nothing where it was not raised."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return "".join(f" ({Path(step.filename).name}, line {step.lineno}, in {step.name})" for step in last)


def is_of_the_machine(said: str) -> bool:
    """Tell whether the words of an error are about memory, threads, disks or the graphics card."""
    return any(words in said.lower() for words in _WORDS_OF_THE_MACHINE)


def _no_space(error: BaseException | None) -> bool:
    """Tell whether a full disk is behind an error."""
    while error is not None and not (isinstance(error, OSError) and error.errno in NO_SPACE):
        error = error.__cause__
    return error is not None


def _is_the_machines(error: Exception) -> bool:
    return is_out_of_main_memory(error) or interruption(error) is not None or is_of_the_machine(str(error))
