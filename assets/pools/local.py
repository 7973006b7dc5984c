"""Workers that are processes of this machine."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from assets.pools.base import Order, Outcome, WorkerDied

WORKER: tuple[str, ...] = (sys.executable, "-W", "ignore", "-m", "assets.pools.worker")
ROOT = str(Path(__file__).parents[2])
START_S = 300.0
"""Seconds until a worker has loaded the definitions, on a machine that is busy with other things."""
LEAVE_S = 20.0


class LocalWorker:
    """A process of its own, started anew and never forked; it leads a group, so that its children end with it.

    A terminal's Ctrl-C does not reach that group: whoever builds ends its workers itself.
    """

    def __init__(self) -> None:
        self._channel, theirs = Pipe()
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no input in the command
                WORKER, stdin=theirs.fileno(), env={**os.environ, "PYTHONPATH": path}, process_group=0
            )
        self._until = time.monotonic() + START_S

    def ready(self, timeout_s: float) -> bool:
        """Wait until the definitions are loaded; raises ``WorkerDied``, too where that takes too long."""
        if self._heard(timeout_s) is not None:
            return True
        if time.monotonic() > self._until:
            self.kill()
            raise WorkerDied(f"its process was not ready after {START_S:.0f} s")
        return False

    def begin(self, order: Order) -> None:
        """Have a run made."""
        self._send(asdict(order))

    def answer(self, timeout_s: float) -> Outcome | None:
        """Return what the worker said; raises ``WorkerDied``."""
        said = self._heard(timeout_s)
        return None if said is None else Outcome(**said)

    def leave(self) -> None:
        """Let it end by itself, or see that it does."""
        self._send(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_S)
        self.kill()

    def kill(self) -> None:
        """End it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()

    def _send(self, order: dict[str, Any] | None) -> None:
        with contextlib.suppress(OSError):  # it is gone, which the next look tells
            self._channel.send(order)

    def _heard(self, timeout_s: float) -> Any:
        try:
            if self._channel.poll(timeout_s):
                return self._channel.recv()
            if self._process.poll() is None:
                return None
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVE_S)
        self.kill()
        raise WorkerDied(f"its process ended with code {self._process.returncode} before it was done")
