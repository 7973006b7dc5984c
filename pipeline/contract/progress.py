"""How long work says how far it is: one signature for stages, transfers, reports and trainings."""

import io
import os
import sys
import time
from collections.abc import Collection, Iterator
from typing import Protocol, TypeVar

SECONDS_BETWEEN_LINES = 5.0

ItemT = TypeVar("ItemT")


class Progress(Protocol):
    """Called with how far a task is."""

    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:
        """Report ``done`` of ``total`` units of ``task``; ``note`` says in words what is being done."""
        ...


def silent(task: str, done: float, total: float, note: str = "") -> None:
    """Report to nobody."""


def named(progress: Progress, name: str) -> Progress:
    """Return what reports to ``progress`` under another name, for a task that is part of a larger one."""

    def renamed(task: str, done: float, total: float, note: str = "") -> None:
        del task
        progress(name, done, total, note)

    return renamed


def counted(items: Collection[ItemT], progress: Progress, task: str) -> Iterator[ItemT]:
    """Yield items, and report how many of them are done."""
    for done, item in enumerate(items):
        progress(task, done, len(items))
        yield item
    progress(task, len(items), len(items))


def say(line: str) -> None:
    """Print a line at once; characters that the output does not know are written as their numbers."""
    lossless_output()
    print(line, flush=True)  # noqa: T201 - its purpose


def lossless_output() -> None:
    """Let what is printed go through where the output knows few characters (``LANG=C``) or names hold broken ones."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


class Pace:
    """Tells from how far tasks are when they will be done."""

    def __init__(self) -> None:
        self._task, self._began, self._first = "", 0.0, 0.0

    def begins(self, task: str, done: float, now: float) -> bool:
        """Take note of how far a task is at a time, seconds of a steady clock; tell whether it is another one now."""
        if task == self._task:
            return False
        self._task, self._began, self._first = task, now, done
        return True

    def left(self, now: float, done: float, total: float) -> str:
        """Return what to say of the time that is left, beginning with a comma; nothing where it is not known."""
        if done <= self._first or done >= total:
            return ""
        seconds = (now - self._began) / (done - self._first) * (total - done)
        return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"

    def told(self, now: float, done: float, total: float, note: str) -> str:
        """Return what to say of a task beside its share: the note or the units, and the time that is left.

        Nothing where the units are that share themselves and no time is known.
        """
        units = "" if total == 1 else f"{done:g} of {total:g}"
        return f"{note or units}{self.left(now, done, total)}".removeprefix(", ")


class Lines:
    """Prints progress as plain lines, which read well on a terminal, in a log file and from several processes at once.

    A line when a task begins, one every few seconds after that, and one when it ends. Of processes that train
    together only the first prints.

    subject: what all of it is about, such as a video's id.
    """

    def __init__(self, subject: str = "", every_s: float = SECONDS_BETWEEN_LINES) -> None:
        self.subject, self._every = subject, every_s
        self._pace, self._next = Pace(), 0.0

    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:
        """Print a line if one is due."""
        now = time.monotonic()
        if not self._pace.begins(task, done, now) and now < self._next and done < total:
            return
        self._next = now + self._every
        if os.environ.get("RANK", "0") == "0":
            share = done / max(total, 1e-9)
            told = self._pace.told(now, done, total, note)
            say(f"{self.subject:<16} {task:<15} {share:>4.0%}  {told}".strip())
