"""Places that processes of one machine take turns in: a killed one gives its places back by dying."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

POLL_S = 0.05


def _silent() -> None:
    """Tell nobody."""


class Places:
    """Some places, each a lock on a file, for all processes that name the same folder.

    count: how many there are, as this process sees it; those that see more may take more.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count

    @contextlib.contextmanager
    def hold(self, wanted: int = 1, waits: Callable[[], None] = _silent) -> Iterator[None]:
        """Hold ``wanted`` places, or all where there are fewer; ``waits`` is called once if they are not free yet.

        Whoever came first takes its places first, so that one who wants many is not overtaken for ever.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            with self._entrance(waits):
                self._take(min(wanted, self.count), held, waits)
            yield

    @contextlib.contextmanager
    def _entrance(self, waits: Callable[[], None]) -> Iterator[None]:
        lock = FileLock(self.folder / "entrance.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waits()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _take(self, wanted: int, held: contextlib.ExitStack, waits: Callable[[], None]) -> None:
        free = [FileLock(self.folder / f"place{i}.lock") for i in range(self.count)]
        told = False
        while wanted:
            for lock in list(free):
                with contextlib.suppress(Timeout):
                    lock.acquire(timeout=0)
                    held.callback(lock.release)
                    free.remove(lock)
                    wanted -= 1
                if not wanted:
                    return
            if not told:
                waits()
                told = True
            time.sleep(POLL_S)
