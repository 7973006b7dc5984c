"""Writes that happen whole or not at all: a draft beside the target takes its place by rename."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from models.atomic import draft
from pipeline.contract.errors import DiskFull

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a draft beside ``path`` that takes its place when the block ends, as ``models.atomic.draft`` does.

    durable: also after a power cut, ``path`` holds the old content or the new one.
    """
    with draft(path) as written:
        yield written
        if durable:
            flush(written)
    if durable:
        flush(path.parent)


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
