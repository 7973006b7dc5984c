"""Progress as plain lines, which read well on a terminal, in a log file and from several processes at once."""

import time

from typer import echo

from pipeline.stages.run import StageReport

SECONDS_BETWEEN_LINES = 5.0


class ScreenLines:
    """Prints how far a video is: a line when a stage begins and one every few seconds after that."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._task = ""
        self._next = 0.0

    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:
        """Print a line if one is due."""
        now = time.monotonic()
        if task == self._task and now < self._next:
            return
        self._task, self._next = task, now + SECONDS_BETWEEN_LINES
        echo(f"{self.subject:<16} {task:<15} {done / max(total, 1e-9):>4.0%}  {note}")


def echo_report(video_id: str, report: StageReport) -> None:
    """Print what a stage did."""
    made = report.provenance
    state = "kept" if report.reused else f"{made.seconds:.1f} s"
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    echo(f"{video_id:<16} {made.stage:<15} done  {state}: {counts}")
    for item in made.left_out:
        echo(f"{'':<16} left out clip {item.clip_id}: {item.code}: {item.detail}")
