"""What a fetcher hands over: the file that arrived and what its origin says about it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 1 << 20

Progress = Callable[[str, float], None]
"""Told a note and the share done, 0 to 1."""


@dataclass(frozen=True)
class Arrival:
    """A file that arrived and what its origin says about it."""

    path: Path
    title: str
    uploader: str = ""
    licence: str = ""
