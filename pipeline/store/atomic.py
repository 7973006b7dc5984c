"""Writes that happen whole or not at all: a draft beside the target takes its place by rename."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from pipeline.contract.errors import DiskFull

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a draft beside ``path`` that takes its place when the block ends.

    After an error inside the block ``path`` is as it was and the draft is gone; a process that is killed leaves the
    draft, a hidden file, and never a part of ``path``.

    durable: also after a power cut, ``path`` holds the old content or the new one.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield draft
        if durable:
            flush(draft)
        draft.replace(path)
        if durable:
            flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Make sure that a file's content, or a folder's list of names, has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn 'no space left' from anywhere below into ``DiskFull``."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            message = "no space left for the dataset: free some, or move it (YOUTUBE_OCC_DATA), then run again"
            raise DiskFull(message) from error
        raise
