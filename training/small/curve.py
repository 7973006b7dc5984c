"""The curve of a training: loss and held-out figures over the steps, as a plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Point:
    """Loss of a step's batch and scores on what was held out, by name."""

    step: int
    loss: float
    scores: dict[str, float]


def plot_curve(name: str, curve: Sequence[Point], path: Path) -> None:
    """Draw every score of ``curve`` over the steps into a PNG."""
    from matplotlib.figure import Figure

    scores = list(curve[-1].scores)
    figure = Figure(figsize=(4 * len(scores), 3), layout="constrained")
    for axes, score in zip(figure.subplots(1, len(scores), squeeze=False)[0], scores, strict=True):
        axes.plot([point.step for point in curve], [point.scores[score] for point in curve], marker=".")
        axes.set(title=f"{name}: {score}, held out", xlabel="step")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=90)
