"""Writes that happen whole or not at all, and what the errors of a file system mean for what is stored."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from models.atomic import draft
from pipeline.contract.errors import DiskFull, NotReadableNow, StorageFailed
from pipeline.store.bucket import refusal

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

ADVICE = {
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "the machine has too many open files",
    errno.EACCES: "this user may not",
    errno.EPERM: "this user may not",
    errno.EROFS: "it can only be read",
    errno.EIO: "the disk or network folder failed",
    errno.ESTALE: "the network folder was mounted anew",
}


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


def move(source: Path, target: Path) -> None:
    """Move a file, also to another disk: ``target`` is the old file or the new one whatever is killed when, durably."""
    try:
        source.replace(target)
        flush(target.parent)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replacing(target, durable=True) as draft:
            shutil.copyfile(source, draft)
        source.unlink()


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn 'no space left' from anywhere below into ``DiskFull``, other failures of a disk into ``StorageFailed``.

    What a bucket says of this machine's credentials or clock becomes ``CredentialsRefused`` or ``WrongClock``.
    """
    try:
        yield
    except OSError as error:
        refused = refusal("writing", error)
        if refused is not None:
            raise refused from error
        if error.errno in NO_SPACE:
            message = "no space left for the dataset: free some, or move it (YOUTUBE_OCC_DATA), then run again"
            raise DiskFull(message) from error
        if error.errno in ADVICE:
            raise StorageFailed(f"{error} ({ADVICE[error.errno]}): nothing half-written was kept") from error
        raise


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Tell errors that say nothing about what is stored from those that do.

    Raises:
        FileNotFoundError: there is no such file.
        NotReadableNow: the file system cannot say; what is stored may be in perfect order.
    """
    try:
        yield
    except NotADirectoryError as error:
        raise FileNotFoundError(path) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        refused = refusal(path, error)
        if refused is not None:
            raise refused from error
        if error.errno is None or error.errno in NO_SPACE:  # a library's word for odd bytes; a write beside the read
            raise
        why = ADVICE.get(error.errno, "its storage does not answer")
        message = f"{path} cannot be read at the moment ({error.strerror or error}; {why}): nothing was changed"
        raise NotReadableNow(message) from error
