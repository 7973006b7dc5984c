"""Reads pickles from outside without running what they say: arrays and plain containers only."""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contract.classes import SemanticClass
from training.data.pickled_arrays import plain, stand_in
from training.errors import BrokenBenchmark, UnsafePickle

LARGEST_BYTES = 64 << 20
"""Benchmarks' pickles hold a grid of 0.13 MB and a camera; a hundred times that is no such file."""

_REMEMBERING = ("PUT", "BINPUT", "LONG_BINPUT")


class _ArraysOnly(pickle.Unpickler):  # noqa: S301 - gives nothing but stand-ins for arrays
    def find_class(self, module: str, name: str) -> Any:
        return stand_in(module, name)


def _check_memo(stored: bytes) -> None:
    """Refuse a memo place that so few bytes cannot fill: the unpickler would allocate all those before it."""
    for opcode, place, _ in pickletools.genops(stored):
        if opcode.name in _REMEMBERING and int(place or 0) > len(stored):
            message = f"remembers something as number {place}, which only uses up memory"
            raise UnsafePickle(message)


def read_arrays(path: Path) -> dict[str, Any]:
    """Return the mapping that a pickle holds; its values are arrays, numbers, texts and containers of those.

    Raises:
        UnsafePickle: it asks for anything else, arrays of objects among it; nothing of it has run.
        BrokenBenchmark: missing, cut short, far too large, or no mapping.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            message = f"{path.name} has {path.stat().st_size} bytes, more than any file of this benchmark"
            raise BrokenBenchmark(message)
        stored = path.read_bytes()
        _check_memo(stored)
        content = plain(_ArraysOnly(io.BytesIO(stored), encoding="latin1").load())
    except UnsafePickle as error:
        message = f"{path.name} {error}; it was not run. Get the file from its authors again"
        raise UnsafePickle(message) from error
    except (OSError, EOFError, pickle.UnpicklingError, ValueError, TypeError, AttributeError, IndexError) as error:
        message = f"{path.name} cannot be read as a pickle ({error}): it is cut short or no pickle; get it again"
        raise BrokenBenchmark(message) from error
    except (
        LookupError,
        ImportError,
        MemoryError,
        UnicodeError,
        OverflowError,
        AssertionError,
        RecursionError,
    ) as error:
        message = f"{path.name} is damaged ({type(error).__name__}: {error}); get it again"
        raise BrokenBenchmark(message) from error
    if not isinstance(content, dict):
        message = f"{path.name} holds a {type(content).__name__}, not a mapping; is it a file of this benchmark?"
        raise BrokenBenchmark(message)
    return content


def labels_of(content: dict[str, Any], key: str, shape: tuple[int, ...], path: Path) -> "np.typing.NDArray[np.uint8]":
    """Return the grid of labels under ``key``.

    Raises:
        BrokenBenchmark: as ``array_of``, or where a value is no whole number of 8 bits, or 12, which no benchmark has.
    """
    stored = array_of(content, key, shape, path)
    with np.errstate(invalid="ignore"):
        labels = stored.astype(np.uint8)
    strange = (labels != stored) | (labels == SemanticClass.UNNAMED)
    if strange.any():
        message = f"{path.name}: {key} holds {stored[strange][0]}, which is no label; get the file again"
        raise BrokenBenchmark(message)
    return labels


def array_of(content: dict[str, Any], key: str, shape: tuple[int, ...], path: Path) -> "np.typing.NDArray[Any]":
    """Return the array of numbers under ``key``.

    Raises:
        BrokenBenchmark: it is missing, has another shape, or holds no numbers.
    """
    if key not in content:
        message = f"{path.name} has no {key!r}; is it a file of this benchmark?"
        raise BrokenBenchmark(message)
    try:
        array = np.asarray(content[key])
    except ValueError as error:
        message = f"{path.name}: {key} is no array: {error}"
        raise BrokenBenchmark(message) from error
    if array.shape != shape or array.dtype.kind not in "fiub":
        message = f"{path.name}: {key} has shape {array.shape}, type {array.dtype}, instead of numbers {shape}"
        raise BrokenBenchmark(message)
    return array
