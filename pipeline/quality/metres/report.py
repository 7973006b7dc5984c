"""What came of judging sizes: tables as Markdown, and the reliability diagram as an SVG."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.stats import norm

from pipeline.quality.diagram import COLOURS, diagram, point
from pipeline.quality.metres.judge import JudgedSizes

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6827, 0.75, 0.85, 0.9, 0.9545)
"""Probabilities that the truth lies so near, of the diagram."""

BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.5, 9.0)
"""Of the deviations that clips are sorted by."""


def sizes_table(judged: Mapping[str, JudgedSizes]) -> str:
    """Return errors and shares within one and two deviations by kind of clips and by rule."""
    kinds = dict.fromkeys(clip.kind for one in judged.values() for clip in one.clips)
    heads = ["clips", "n", *(f"{head}, {rule}" for rule in judged for head in ("error", "deviation", "within 1 / 2"))]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for kind in [*kinds, "all"]:
        rows = [one if kind == "all" else one.of_kind(kind) for one in judged.values()]
        cells = [cell for row in rows for cell in _cells(row)]
        lines.append(f"| {kind} | {len(rows[0].clips)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(judged: JudgedSizes) -> tuple[str, str, str]:
    """Return error (median / 90th centile of the relative error), median deviation, shares within 1 / 2."""
    middle, most = np.percentile(np.expm1(np.abs(judged.error)), [50, 90])
    within = f"{judged.within(1):.2f} / {judged.within(2):.2f}"
    return f"{middle:.1%} / {most:.1%}", f"{np.median(judged.sigma):.2f}", within


def deviations_table(judged: Mapping[str, JudgedSizes]) -> str:
    """Return by how large deviations are how wrong clips are, and those apart whose cues disagree."""
    heads = ["deviation", *(f"{head}, {rule}" for rule in judged for head in ("n", "root mean square", "within 1 / 2"))]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for low, high in pairwise(BOUNDS):
        name = f"above {low:g}" if high == BOUNDS[-1] else f"{low:g} to {high:g}"
        lines.append(_row(name, [one.where((one.sigma >= low) & (one.sigma < high)) for one in judged.values()]))
    lines.append(_row("cues disagree", [one.where(one.disagreeing) for one in judged.values()]))
    lines.append(_row("cues agree", [one.where(~one.disagreeing) for one in judged.values()]))
    return "\n".join(lines)


def _row(name: str, rows: Sequence[JudgedSizes]) -> str:
    cells = []
    for row in rows:
        if not len(row.clips):
            cells += ["0", "", ""]
            continue
        wrong = float(np.sqrt((row.error**2).mean()))
        cells += [str(len(row.clips)), f"{wrong:.3f}", f"{row.within(1):.2f} / {row.within(2):.2f}"]
    return f"| {name} | {' | '.join(cells)} |"


def factors_line(names: str, values: Sequence[float]) -> str:
    """Say how far sizes of clips of one world differ."""
    if not values:
        return f"{names}: no world has several clips"
    found = f"median factor between scales {np.median(values):.3f}, largest {max(values):.3f}"
    return f"{names}: {found}, {len(values)} worlds"


def sizes_diagram(judged: Mapping[str, JudgedSizes]) -> str:
    """Return an SVG: of how many clips the truth lies as near as it should with a probability."""
    drawn = {}
    for (name, one), colour in zip(judged.items(), COLOURS, strict=False):
        points = [point(level, one.within(float(norm.ppf((1 + level) / 2)))) for level in LEVELS]
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
        drawn[f"{name} ({len(one.clips)})"] = [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            *(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>' for x, y in points),
        ]
    return diagram("probability that the truth is as near", "share of clips of which it is", drawn)
