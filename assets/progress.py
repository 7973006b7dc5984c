"""What a build says of a video on the terminal, in the logs, and on the page of its run."""

import time
from collections.abc import Callable
from contextlib import suppress

import dagster as dg
from typer import echo

from pipeline.contract.progress import Pace, Progress
from pipeline.stages.run import StageReport

SECONDS_BETWEEN_EVENTS = 10.0
"""An event is a row of a database that is kept for ever."""


class RunEvents:
    """Reports progress to the page of a run, at most one event every few seconds, with the time that is left.

    write: puts a line there. What was said last is not said again.
    """

    def __init__(self, write: Callable[[str], object], every_s: float = SECONDS_BETWEEN_EVENTS) -> None:
        self._write, self._every, self._last = write, every_s, ""
        self._pace, self._next = Pace(), time.monotonic() + every_s

    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:
        """Write an event if one is due; work goes on where it cannot be written."""
        now = time.monotonic()
        self._pace.begins(task, done, now)
        told = self._pace.told(now, done, total, note)
        line = f"{task} {done / max(total, 1e-9):.0%}{told and ': '}{told}"
        if now < self._next or line == self._last:
            return
        self._next, self._last = now + self._every, line
        with suppress(Exception):
            self._write(line)


def events_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunEvents:
    """Return what reports to the page of a run, and to no terminal: that shows the pipeline's own lines."""
    return RunEvents(lambda line: instance.report_engine_event(line, run))


def both(one: Progress, other: Progress) -> Progress:
    """Return what reports to two."""

    def report(task: str, done: float, total: float, note: str = "") -> None:
        one(task, done, total, note)
        other(task, done, total, note)

    return report


def echo_report(video_id: str, report: StageReport) -> None:
    """Print what a stage did."""
    made = report.provenance
    state = "kept" if report.reused else f"{made.seconds:.1f} s"
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    echo(f"{video_id:<16} {made.stage:<15} done  {state}: {counts}")
    for item in made.left_out:
        echo(f"{'':<16} left out clip {item.clip_id}: {item.code}: {item.detail}")
