"""Whose fault an error is that nobody foresaw: the clip's, which is left out, or the machine's: all is tried again."""

import traceback
from pathlib import Path
from subprocess import SubprocessError

from models.errors import ModelError
from models.memory import is_out_of_main_memory
from pipeline.contract.errors import PipelineError, UnforeseenFault, interruption

_NOT_THE_CLIPS = (PipelineError, ModelError, MemoryError, OSError, SubprocessError, ImportError)
"""Errors raised on purpose for the whole video, and those that tell of the machine and not of the pictures."""

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
    if (
        isinstance(error, _NOT_THE_CLIPS)
        or is_out_of_main_memory(error)
        or is_of_the_machine(str(error))
        or interruption(error) is not None
    ):
        return None
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({Path(step.filename).name}, line {step.lineno}, in {step.name})" for step in last)
    return UnforeseenFault(f"{type(error).__name__}: {str(error)[:300] or 'without a word'}{place}")


def is_of_the_machine(said: str) -> bool:
    """Tell whether the words of an error are about memory, threads, disks or the graphics card."""
    return any(words in said.lower() for words in _WORDS_OF_THE_MACHINE)
