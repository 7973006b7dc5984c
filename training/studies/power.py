"""What a comparison of so many seeds could see, said beforehand: two-sided at 5 %, found in four of five tries."""

from collections.abc import Sequence
from itertools import count

import numpy as np
from scipy.stats import t

ALPHA, POWER = 0.05, 0.8
SEEN_DEVIATION = 0.0295
"""Deviation over seeds of the gain in mIoU, paired, at the smallest share of the first experiment (three seeds)."""


def smallest_gain(seeds: int, deviation: float) -> float:
    """Return the smallest mean gain that paired differences over ``seeds`` would show, in units of ``deviation``'s.

    Infinite for one seed, which has no deviation of its own.
    """
    if seeds < 2:
        return float("inf")
    quantiles = t.ppf([1 - ALPHA / 2, POWER], seeds - 1)
    return float(quantiles.sum() * deviation / seeds**0.5)


def seeds_for(gain: float, deviation: float) -> int:
    """Return how many seeds would show a gain."""
    return next(seeds for seeds in count(2) if smallest_gain(seeds, deviation) <= gain)


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the bounds that hold the mean behind values with 95 % confidence; infinite ones for a single value."""
    if len(values) < 2:
        return -float("inf"), float("inf")
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(t.ppf(1 - ALPHA / 2, len(values) - 1)) * deviation / len(values) ** 0.5
    return mean - half, mean + half


def power_line(seeds: int, deviation: float, aimed_at: float = 0.04) -> str:
    """Return in a line what fine-tuning with so many seeds could see."""
    gain = (
        f"{seeds} of them show a gain of {100 * smallest_gain(seeds, deviation):.1f} points or more (5 %, power 80 %)"
    )
    shown = gain if seeds > 1 else "a single one shows no gain, however large"
    needed = f"+{100 * aimed_at:.0f} takes {seeds_for(aimed_at, deviation)} seeds"
    return f"with a deviation of {100 * deviation:.2f} points over seeds, {shown}; {needed}"
