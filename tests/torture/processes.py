"""Forks the campaign's processes, lets faults strike them and waits for their end."""

import os
import pickle
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TypeVar

from tests.paths import ROOT
from tests.torture.daemon import command_environment, write_settings
from tests.torture.faults import QUIET, Fault
from tests.torture.preload import begin, begin_in_child
from tests.torture.report import Report
from tests.torture.work import WRONG, Choice, Place, exit_code

T = TypeVar("T")

LONGEST_S = 240.0
"""Seconds after which a process hangs."""

COMMANDS = {
    "dagster": ["-m", "dagster", "job", "execute", "-m", "assets", "-j", "build_dataset"],
    "command": ["-m", "pipeline", "sources", "poll"],
}
"""Tasks that are commands of their own, by the arguments of the interpreter."""


class Processes:
    """The processes of a round, each in a group of its own.

    Args:
        folder: of the campaign. report: counts their ends. draw: decides whom a fault strikes.
    """

    def __init__(self, folder: Path, report: Report, draw: random.Random) -> None:
        self._folder, self._report, self._draw = folder, report, draw
        self._running: dict[int, str] = {}

    def start(self, task: str, place: Place, choice: Choice, fault: Fault = QUIET, delay_s: float = 0.0) -> None:
        """Start a task, whose calls on files fail as the fault says; signals are for ``wait``."""
        seed = self._draw.randrange(2**32)
        self._report.processes[task] += 1
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            with suppress(PermissionError):  # the child has made its group, and become a command
                os.setpgid(pid, pid)  # in both, whichever comes first: a signal must find the group
            self._running[pid] = task
            return
        code = 1
        try:
            self._enter(delay_s)
            journal = self._folder / "journal" if fault.kind == "power" else None
            if task in COMMANDS:
                self._become(task, place, choice, fault, journal)
            begin(place.data, fault.failing, journal, self._folder / "shadow")
            code = exit_code(task, place, choice, random.Random(seed))
            sys.stdout.flush()
        finally:
            os._exit(code)

    def wait(self, fault: Fault = QUIET) -> None:
        """Let the processes run and the fault strike; what hangs is a violation, and killed."""
        strikes, end = time.monotonic() + fault.after_s, time.monotonic() + LONGEST_S
        struck = False
        while self._running:
            for pid in list(self._running):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    self._note_end(self._running.pop(pid), status)
            if not struck and time.monotonic() > strikes:
                struck = True
                self._strike(fault, list(self._running))
            if time.monotonic() > end:
                self._report.violations.append(f"{fault}: {', '.join(self._running.values())} did not end")
                _signal(list(self._running), signal.SIGKILL)
                end = time.monotonic() + LONGEST_S
            time.sleep(0.01)

    def _enter(self, delay_s: float) -> None:
        """Make the forked process a group of its own, whose output goes to the log."""
        os.setpgid(0, 0)
        log = os.open(self._folder / "processes.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        time.sleep(delay_s)

    def _become(self, task: str, place: Place, choice: Choice, fault: Fault, journal: Path | None) -> NoReturn:
        """Replace the forked process by a command."""
        settings, home = self._folder / f"settings-{os.getpid()}.yaml", self._folder / "home"
        write_settings(settings, choice)
        home.mkdir(exist_ok=True)
        environment = command_environment(self._folder, place, settings, home)
        environment |= begin_in_child(place.data, fault.failing, journal, self._folder / "shadow")
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, *COMMANDS[task]], environment)  # noqa: S606

    def _strike(self, fault: Fault, pids: list[int]) -> None:
        if fault.kind == "power":
            _signal(pids, signal.SIGSTOP)  # so that none sees the other die
            _signal(pids, signal.SIGKILL)
        elif fault.kind in ("kill", "term"):
            chosen = pids if self._draw.random() < 0.5 else pids[:1]
            _signal(chosen, signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM)
        elif fault.kind == "stop":
            _signal(pids[:1], signal.SIGSTOP)
            time.sleep(self._draw.uniform(0.2, 2))
            _signal(pids[:1], signal.SIGCONT)

    def _note_end(self, task: str, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        self._report.ended[signal.Signals(-code).name if code < 0 else f"exit {code}"] += 1
        if code == WRONG:
            self._report.violations.append(f"{task} read what does not belong together (processes.log)")
        elif code < 0 and -code not in (signal.SIGKILL, signal.SIGTERM):
            self._report.violations.append(f"{task} crashed: {signal.Signals(-code).name}")


def in_own_process(work: Callable[[], T]) -> T:
    """Return what a function returns, called in a forked process, so that no thread of it stays in this one."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "wb") as file:
                pickle.dump(work(), file)
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise RuntimeError("a process of the campaign itself failed")
    found: T = pickle.loads(content)  # noqa: S301 - from our own child
    return found


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.killpg(pid, number)
