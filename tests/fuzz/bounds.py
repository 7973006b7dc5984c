"""What a parser may not do: work or hold memory without end, write elsewhere, start processes, call hosts."""

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.memory import data_bytes

WORK_S = 20.0
"""Seconds of processor time for one input of some kilobytes; an honest parser needs a thousandth of that."""
GRACE_S = 10.0
"""Seconds more, after which a parser that does not return to Python is killed."""
ASLEEP_S = 300.0
"""Seconds by the clock after which one that waits for something is killed."""
MEMORY = 2**30
"""Bytes beyond those that the process had with the true inputs."""


class TooMuchWork(BaseException):
    """The parser did not come to an end."""


class Trespass(BaseException):
    """The parser did what a parser must not do."""


def limit_memory(more: int = MEMORY) -> None:
    """Let this process have ``more`` bytes than now, for the rest of its life."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes() + more, hard))


@contextmanager
def bounded_work() -> Iterator[None]:
    """Raise ``TooMuchWork`` in Python code that takes too long; what does not return to Python dies of SIGVTALRM."""

    def stop(_number: int, _frame: object) -> None:
        raise TooMuchWork(f"still at it after {WORK_S:g} s")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, WORK_S)
    signal.setitimer(signal.ITIMER_VIRTUAL, WORK_S + GRACE_S)
    signal.setitimer(signal.ITIMER_REAL, ASLEEP_S)
    try:
        yield
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_VIRTUAL, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)


class Watch:
    """Raises ``Trespass`` in this process from now on, where something is done beyond ``folder``.

    What it does not see, C code that opens files by itself, the listing of the folders shows.
    """

    FORBIDDEN = (
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.fork",
        "socket.connect",
        "socket.getaddrinfo",
    )
    CHANGING = (
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "shutil.rmtree",
    )

    def __init__(self, folder: Path, *, may_start: bool = False) -> None:
        self.folder = str(folder.resolve())
        self.is_on = False
        self._allowed = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.fork") if may_start else ()
        sys.addaudithook(self._look)

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event in self.FORBIDDEN and event not in self._allowed:
            raise Trespass(f"{event} {arguments[:2]!r:.200}")
        if event == "open":
            path, mode, flags = arguments
            is_writing = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool((flags or 0) & 3)
            if is_writing and not isinstance(path, int):
                self._inside(event, path)
        elif event in self.CHANGING:
            self._inside(event, arguments[0])

    def _inside(self, event: str, path: Any) -> None:
        text = path.decode(errors="replace") if isinstance(path, bytes) else str(path)
        if isinstance(path, int) or text == "/dev/null" or not text.startswith("/"):
            return
        if not f"{text}/".startswith(f"{self.folder}/") or "/../" in text:
            raise Trespass(f"{event} {text[:200]}")
