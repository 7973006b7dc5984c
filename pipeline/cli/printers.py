"""What commands show: bars, lines and tables; an error made on purpose is one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.errors import ModelError
from pipeline.contract.errors import PipelineError
from pipeline.stages.run import StageReport

console = Console()


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
def bar() -> Iterator[BarProgress]:
    """Show a bar while the block runs; what is printed meanwhile goes above it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    times = (TimeElapsedColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, *times, TextColumn("{task.fields[note]}", markup=False), console=console) as bars:
        yield BarProgress(bars)


def report_line(report: StageReport) -> str:
    """Return what a stage did as marked-up lines: seconds, counts, and what it left out."""
    made = report.provenance
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    state = "kept" if report.reused else f"{made.seconds:.1f} s"
    left_out = "".join(
        f"\n    [yellow]left out clip {item.clip_id}[/yellow]: {item.code}: {item.detail}" for item in made.left_out
    )
    return f"  {made.stage:<15}{state:>9}  {counts}{left_out}"


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End with status 1 and one line where an error was made on purpose, instead of a traceback."""
    try:
        yield
    except (PipelineError, ModelError) as error:
        console.print(f"[red]{type(error).__name__}[/red]: {error}")
        sys.exit(1)
