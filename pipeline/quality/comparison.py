"""Reports of several profiles on the same tours, side by side."""

import io
from collections.abc import Sequence

import numpy as np

from pipeline.quality.figure import Figure
from pipeline.quality.report import QualityReport

_COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d")


def side_by_side(reports: Sequence[QualityReport]) -> str:
    """Return a Markdown table: one row a figure, one column a profile; figures short of their target are bold."""
    built = "; ".join(f"{report.profile}: {len(report.tours)} tours" for report in reports)
    heads = [report.profile for report in reports]
    lines = [built, "", f"| stage | figure | {' | '.join(heads)} | target |", "|---" * (len(heads) + 3) + "|"]
    for row in _rows(reports):
        known = next(figure for figure in row if figure is not None)
        cells = " | ".join(_cell(figure) for figure in row)
        lines.append(f"| {known.stage} | {known.name} | {cells} | {known.target} |")
    return "\n".join(lines)


def plot_side_by_side(reports: Sequence[QualityReport]) -> bytes:
    """Return a PNG: one panel a figure with a target, one bar a profile over all its tours, the target as a line."""
    from matplotlib.figure import Figure as Canvas

    targeted = [row for row in _rows(reports) if any(f is not None and f.reached is not None for f in row)]
    columns = 3
    lines = max(1, -(-len(targeted) // columns))
    canvas = Canvas(figsize=(4 * columns, 2.2 * lines), layout="constrained")
    for number, row in enumerate(targeted):
        axes = canvas.add_subplot(lines, columns, number + 1)
        known = next(figure for figure in row if figure is not None)
        values = [figure.value if figure is not None else np.nan for figure in row]
        axes.bar([report.profile for report in reports], values, color=_COLOURS[: len(reports)])
        goal = known.at_least if known.at_least is not None else known.at_most
        axes.axhline(float(goal or 0), color="#e45756", linewidth=1)
        axes.set_title(f"{known.name} ({known.target})", fontsize=9)
        axes.tick_params(labelsize=7)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=80)
    return buffer.getvalue()


def _rows(reports: Sequence[QualityReport]) -> list[list[Figure | None]]:
    """Figures by row and profile, in the order of the fullest report; None where a profile built nothing."""
    found = [{(figure.stage, figure.name): figure for figure in report.figures()} for report in reports]
    names = max(found, key=len, default={})
    return [[figures.get(name) for figures in found] for name in names]


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    text = f"{figure.value:.3f}{figure.unit}"
    return f"**{text}**" if figure.reached is False else text
