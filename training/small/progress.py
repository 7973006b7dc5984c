"""One line on the terminal: how far a training is, how well it does, how fast of late, how long still."""

import sys
import time
from argparse import Namespace
from typing import Any

from pipeline.contract.progress import SECONDS_BETWEEN_LINES
from training.fabric import Logger, rank_zero_only
from training.settings import LoopSettings

NEWEST_LOSS = 0.2
"""Weight of the newest loss in the mean that is shown."""


class ProgressLine(Logger):
    """Shows the progress of a training and, as one of its loggers, the loss and the scores."""

    def __init__(self, subject: str, settings: LoopSettings, every_s: float = SECONDS_BETWEEN_LINES) -> None:
        super().__init__()
        self._subject, self._samples_a_step, self._every = subject, settings.batch_size * settings.accumulate, every_s
        self._then, self._then_step, self._loss = time.monotonic(), -1.0, float("nan")

    @property
    def name(self) -> str:
        """Name of the logger."""
        return self._subject

    @property
    def version(self) -> str:
        """Version of the logger: it has none."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Remember a loss; show scores on a line of their own."""
        if "total" in metrics:
            first = self._loss != self._loss
            self._loss = metrics["total"] if first else self._loss + NEWEST_LOSS * (metrics["total"] - self._loss)
        else:
            shown = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            _write(f"\r{self._subject} step {step}: {shown}\n")

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Show nothing: the settings are in the recipe."""

    @rank_zero_only
    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:  # noqa: ARG002 - it has a subject
        """Show the line anew, at most every few seconds."""
        now = time.monotonic()
        if self._then_step < 0:
            self._then, self._then_step = now, done
        if now - self._then < self._every:
            return
        rate = (done - self._then_step) / max(now - self._then, 1e-6)
        left = (total - done) / max(rate, 1e-6) / 60
        self._then, self._then_step = now, done
        _write(
            f"\r{self._subject} {done:g}/{total:g}  loss {self._loss:.4f}  "
            f"{rate * self._samples_a_step:.1f} samples/s  {left:.0f} min left   "
        )


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
