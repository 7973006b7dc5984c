"""What tells a dataset from every other: what its files hold, wherever they lie and however their folder is spelled."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from models.array_cache import content_key
from training.data.sample import Frames
from training.errors import BrokenBenchmark


@runtime_checkable
class KnownByContent(Protocol):
    """A dataset of which each sample is known by what it holds; others are known by their origin."""

    def content(self, index: int) -> str:
        """Return a SHA-256 of what decides a sample, its name among it, as 64 hexadecimal digits."""
        ...


def sample_content(frames: Frames, index: int) -> str:
    """Return what tells a sample from every other one of any dataset, as 64 hexadecimal digits.

    Raises:
        BrokenBenchmark: a file of it cannot be read.
    """
    if isinstance(frames, KnownByContent):
        return frames.content(index)
    return content_key(frames.origin, frames.names[index])


def content_of(frames: Frames) -> str:
    """Return what tells a dataset from every other, as 64 hexadecimal digits: its samples in order, or its origin.

    Raises:
        BrokenBenchmark: a file of it cannot be read.
    """
    if isinstance(frames, KnownByContent):
        return content_key(*(frames.content(index) for index in range(len(frames))))
    return content_key(frames.origin)


class FileContents:
    """SHA-256 of the files of samples, each read once; kind: what they are read as, which decides a sample too."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[str, str] = {}

    def of(self, name: str, files: Iterable[Path]) -> str:
        """Return the digest of a sample's name and of the bytes of its files.

        Raises:
            BrokenBenchmark: one of them cannot be read.
        """
        if name not in self._known:
            self._known[name] = content_key(self._kind, name, *map(_bytes_digest, files))
        return self._known[name]


def _bytes_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BrokenBenchmark(f"{path} cannot be read ({error.strerror}); get the file again") from error
