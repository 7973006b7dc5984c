"""Curves of a run: points by name, as a plot."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class Curves:
    """Values by name, each at some steps: ``points[name] = [[step, value], ...]``."""

    points: dict[str, list[list[float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, points: Mapping[str, list[list[float]]]) -> "Curves":
        """Return curves that go on from these points."""
        return cls({name: [list(point) for point in line] for name, line in points.items()})

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to every curve named."""
        for name, value in values.items():
            self.points.setdefault(name, []).append([step, value])

    def last(self, name: str) -> float:
        """Return the last value of a curve."""
        return self.points[name][-1][1]

    def plot(self) -> bytes:
        """Return all curves in one plot, as a PNG."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3.5), layout="constrained")
        axes = figure.subplots()
        for name, line in self.points.items():
            axes.plot(*zip(*line, strict=True), label=name)
        axes.set_xlabel("step")
        axes.set_ylabel("loss")
        axes.legend(fontsize="small")
        return _png(figure, 80)

    def plot_apart(self, names: Iterable[str], title: str) -> bytes:
        """Return some curves beside one another, each with a scale of its own, as a PNG."""
        from matplotlib.figure import Figure

        shown = list(names)
        figure = Figure(figsize=(4 * len(shown), 3), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            axes.plot(*zip(*self.points[name], strict=True), marker=".")
            axes.set(title=f"{title}: {name}", xlabel="step")
            axes.grid(alpha=0.3)
        return _png(figure, 90)


def _png(figure: "Figure", dots_an_inch: int) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dots_an_inch)
    return content.getvalue()
