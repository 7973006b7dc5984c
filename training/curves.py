"""Curves of a run: points by name, as a plot."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field


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
        """Return the curves as a PNG."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3.5), layout="constrained")
        axes = figure.subplots()
        for name, line in self.points.items():
            axes.plot(*zip(*line, strict=True), label=name)
        axes.set_xlabel("step")
        axes.set_ylabel("loss")
        axes.legend(fontsize="small")
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=80)
        return content.getvalue()
