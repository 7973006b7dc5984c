"""What a fetcher hands over: the file that arrived and what its origin says about it."""

from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 1 << 20

TASK = "video"
"""What progress is reported of."""


@dataclass(frozen=True)
class Arrival:
    """A file that arrived and what its origin says about it."""

    path: Path
    title: str
    uploader: str = ""
    licence: str = ""
