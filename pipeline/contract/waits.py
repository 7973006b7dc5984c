"""Says what is waited for, and how long, wherever that takes longer than some seconds."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import BaseFileLock, Timeout

QUIET_S = 5.0
"""Waits up to this are not worth a word."""

AGAIN_S = 300.0
"""Seconds after which a wait without a known end is said once more."""

_log = logging.getLogger(__name__)


def say_wait(what: str, seconds: float) -> None:
    """Say that ``what`` is waited for, if that takes longer than some seconds."""
    if seconds > QUIET_S:
        _log.warning("waiting %s for %s", in_words(seconds), what)


def in_words(seconds: float) -> str:
    """Return a time as people say it: 45 s, 12 min, 3.5 h, 2 days."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.2g} {name}"
    return f"{max(seconds, 0):.0f} s"


class Patience:
    """Tells of a wait whose end is unknown: after some seconds, and again now and then."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._next = self._began + QUIET_S

    def look(self) -> None:
        """Say what is waited for, if it is time for that."""
        present = time.monotonic()
        if present >= self._next:
            _log.warning("waiting since %s for %s", in_words(present - self._began), self._what)
            self._next = present + AGAIN_S


@contextmanager
def held_aloud(lock: BaseFileLock, what: str) -> Iterator[None]:
    """Hold a lock; where it is not had within some seconds, say what is waited for."""
    patience = Patience(f"{what}, which another process holds")
    while True:
        try:
            lock.acquire(timeout=QUIET_S)
        except Timeout:
            patience.look()
        else:
            break
    try:
        yield
    finally:
        lock.release()
