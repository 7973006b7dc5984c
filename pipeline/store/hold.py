"""Holds a part of the store against other machines: its files, with a check before every write."""

import contextlib
from collections.abc import Iterator
from typing import TypeVar

from pipeline.store.files import Files
from pipeline.store.lease import Lease

FilesT = TypeVar("FilesT", bound=Files)


@contextlib.contextmanager
def held(files: FilesT, name: str, what: str, timeout_s: float = 0) -> Iterator[FilesT]:
    """Hold the lease ``name``, whose file lock the caller holds; gives ``files`` that refuse to write without it.

    what: is held, in words. timeout_s: that a holder is waited for which lives.

    Raises:
        VideoLocked: another machine still holds it then.
        SettingsError: as ``Files.claim``.
        LeaseLost: inside the block, of a write: this machine stood still so long that another one has it.
    """
    files.claim()
    with lease(files, name, what).held(timeout_s) as taken:
        yield files.fenced(taken.check)


def lease(files: Files, name: str, what: str) -> Lease:
    """Return a lease that is not taken yet."""
    return Lease(files.shared, name, what, files.make_scratch(), files.lease_s)
