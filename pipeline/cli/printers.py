"""What commands show: bars, lines and tables; an error made on purpose is one line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, ConsoleDimensions
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from models.errors import ModelError
from pipeline.contract.errors import PipelineError
from pipeline.contract.progress import lossless_output
from pipeline.stages.run import StageReport

PIPE_COLUMNS = 10_000
"""Columns where nobody looks at a terminal: what goes into a file or another program is not cut."""


class _Screen(Console):
    """A console that is as wide as it needs to be where it is no terminal and ``COLUMNS`` does not say otherwise."""

    @property
    def size(self) -> ConsoleDimensions:
        found = super().size
        return found if self.is_terminal or "COLUMNS" in os.environ else ConsoleDimensions(PIPE_COLUMNS, found.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


console = _Screen(markup=False, emoji=False)
"""Brackets and colons in what is shown are what they are: titles, paths and errors come from elsewhere."""


def print_markdown(text: str) -> None:
    """Show a report: laid out on a terminal, as it is written in a pipe."""
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        console.print(text, highlight=False, soft_wrap=True)


class BarProgress:
    """Shows the progress of one task at a time as a bar."""

    def __init__(self, bars: Progress) -> None:
        self.console = bars.console
        self._bars = bars
        self._bar = bars.add_task("", total=1, note="")

    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:
        """Move the bar."""
        self._bars.update(self._bar, description=f"{task:<15}", completed=done, total=max(total, 1e-9), note=note)


@contextmanager
def bar(*, passing: bool = False) -> Iterator[BarProgress]:
    """Show a bar while the block runs; what is printed meanwhile goes above it.

    passing: nothing of it stays, and nothing of it goes into a pipe.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    times = (TimeElapsedColumn(), TimeRemainingColumn(compact=True))
    hidden = passing and not console.is_terminal
    note = TextColumn("{task.fields[note]}", markup=False)
    with Progress(*columns, *times, note, console=console, transient=passing, disable=hidden) as bars:
        yield BarProgress(bars)


def report_lines(report: StageReport) -> Text:
    """Return what a stage did: seconds, counts, and a line for each clip it left out."""
    made = report.provenance
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    state = "kept" if report.reused else f"{made.seconds:.1f} s"
    lines = Text(f"  {made.stage:<15}{state:>9}  {counts}")
    for item in made.left_out:
        lines.append(f"\n    left out clip {item.clip_id}", "yellow").append(f": {item.code}: {item.detail}")
    return lines


def say_logged(log: Path | None) -> None:
    """Say where a look at frozen tours was logged, if there was one."""
    if log is not None:
        console.print(f"this look at frozen tours is logged in {log}")


def error_line(error: Exception) -> Text:
    """Return an error as one line: its kind, in red, and what it says."""
    return Text.assemble((type(error).__name__, "red"), f": {error}")


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End with status 1 and one line where an error was made on purpose, instead of a traceback."""
    lossless_output()
    try:
        yield
    except (PipelineError, ModelError) as error:
        console.print(error_line(error), soft_wrap=True)
        sys.exit(1)
