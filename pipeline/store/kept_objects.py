"""Small objects of a bucket on local disk, each under its name and the mark of its state, so that none is got twice.

What is kept cannot be out of date: an object that was written anew has another mark, and whoever reads has the mark of
what is there from a list or an answer of the bucket. What is never written anew is kept without a mark.
"""

import contextlib
import hashlib
import os
from collections import Counter
from pathlib import Path

from models.atomic import draft

MOST_BYTES = 1 << 30
"""What is kept of one bucket; the oldest goes first."""

SWEPT_AFTER = MOST_BYTES // 16
"""Bytes that a process keeps before it looks again how much there is."""

_DIGEST_BYTES = 32

_UNSWEPT: Counter[Path] = Counter()
"""Bytes that this process has kept since it looked how much there is, by folder."""


class KeptObjects:
    """The objects that are kept in a local folder, which is made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, mark: str) -> bytes | None:
        """Return the content of an object in the state ``mark``, or None where it is not kept, or damaged."""
        try:
            stored = self._path(name, mark).read_bytes()
        except OSError:
            return None
        content = stored[_DIGEST_BYTES:]
        return content if hashlib.sha256(content).digest() == stored[:_DIGEST_BYTES] else None

    def keep(self, name: str, mark: str, content: bytes) -> None:
        """Keep an object; that there is no room for it, or no right to write here, is nobody's trouble."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(content))
            with draft(self._path(name, mark)) as written:
                written.write_bytes(hashlib.sha256(content).digest() + content)

    def _path(self, name: str, mark: str) -> Path:
        return self._folder / hashlib.sha256(f"{name}\n{mark}".encode()).hexdigest()[:32]

    def _make_room(self, size: int) -> None:
        """Remove the oldest of what is kept where that is too much; at first and then now and again."""
        is_first = self._folder not in _UNSWEPT
        _UNSWEPT[self._folder] += size
        if not is_first and _UNSWEPT[self._folder] < SWEPT_AFTER:
            return
        _UNSWEPT[self._folder] = 0
        with os.scandir(self._folder) as entries:
            found = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in entries)
        over = sum(size for _, size, _ in found) - MOST_BYTES
        for _, kept, path in found:
            if over > 0:
                Path(path).unlink(missing_ok=True)
                over -= kept
