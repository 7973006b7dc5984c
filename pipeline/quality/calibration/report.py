"""What came of a calibration: figures as Markdown, and the reliability diagram as an SVG."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.quality.calibration.fit import Figures, auroc
from pipeline.quality.calibration.samples import JudgedClip
from pipeline.quality.diagram import COLOURS, diagram, point
from pipeline.stages.reconstruction.colmap.probability import MEANING

BINS = np.array([0.0, 0.2, 0.4, 0.6, 0.75, 0.85, 1.0])

WithProbability = tuple[Sequence[JudgedClip], Float64s]
"""Samples and the probability (k,) of each."""


def figures_table(found: Mapping[str, Figures]) -> str:
    """Return one row for each set of samples."""
    heads: tuple[str, ...] = ("clips", "right / wrong (gross)", "AUROC", "Brier (of the base rate)")
    heads = (*heads, "wrong passed (gross), by the checks alone", "right refused")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, one in found.items():
        passed = f"{one.wrong_passed} ({one.gross_passed}), {one.passed_before}"
        scores = f"{one.auroc:.2f} | {one.brier:.3f} ({one.by_base_rate:.3f})"
        known = f"{one.right} / {one.wrong} ({one.gross})"
        lines.append(f"| {name} | {known} | {scores} | {passed} | {one.right_refused} |")
    return "\n".join(lines)


def signs_table(samples: Sequence[JudgedClip]) -> str:
    """Return how well every sign alone tells right from wrong, best first."""
    right = np.array([sample.right for sample in samples])
    rows = []
    for name, meaning in MEANING.items():
        values = np.array([sample.signs.get(name, np.nan) for sample in samples])
        known = np.isfinite(values)
        rows.append((auroc(-values[known], right[known]), int(known.sum()), name, meaning))
    lines = ["| sign | | AUROC alone | known for |", "|---|---|---|---|"]
    for area, count, name, meaning in sorted(rows, key=_by_area):
        lines.append(f"| `{name}` | {meaning} | {area:.2f} | {count} |")
    return "\n".join(lines)


def _by_area(row: tuple[float, int, str, str]) -> float:
    return -row[0] if np.isfinite(row[0]) else 0.0


def reliability_table(judged: Mapping[str, WithProbability]) -> str:
    """Return, by bins of probability, how many samples are right."""
    heads = [f"{low:g} to {high:g}" for low, high in pairwise(BINS)]
    lines = [f"| right of all at a probability of | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, (samples, probabilities) in judged.items():
        cells = [f"{right} of {count}" if count else "" for right, count, _ in _bins(samples, probabilities)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def reliability_diagram(judged: Mapping[str, WithProbability]) -> str:
    """Return an SVG: share of right ones over mean probability, a dot a bin, as large as it has samples."""
    drawn = {
        name: _dots(samples, probabilities, colour)
        for (name, (samples, probabilities)), colour in zip(judged.items(), COLOURS, strict=False)
    }
    return diagram("probability of being right", "share that is right", drawn)


def _dots(samples: Sequence[JudgedClip], probabilities: Float64s, colour: str) -> list[str]:
    dots = []
    for right, count, mean in _bins(samples, probabilities):
        if count:
            x, y = point(mean, right / count)
            dots.append(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{3 + 2 * np.sqrt(count):.1f}" fill="{colour}" '
                f'fill-opacity="0.6"><title>{right} of {count}</title></circle>'
            )
    return dots


def _bins(samples: Sequence[JudgedClip], probabilities: Float64s) -> list[tuple[int, int, float]]:
    """Return for every bin how many are right, how many there are, and their mean probability."""
    right = np.array([sample.right for sample in samples], bool)
    place = np.clip(np.digitize(probabilities, BINS) - 1, 0, len(BINS) - 2)
    found = []
    for at in range(len(BINS) - 1):
        inside = place == at
        mean = float(probabilities[inside].mean()) if inside.any() else 0.0
        found.append((int(right[inside].sum()), int(inside.sum()), mean))
    return found
