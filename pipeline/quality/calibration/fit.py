"""Fits the logistic model and says how good it is: every house is judged by a model that has not seen it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.quality.calibration.samples import Sample
from pipeline.stages.reconstruction.colmap.probability import MEANING, SignWeight, TrustTable

PENALTY = 0.05
"""Weight of the squared coefficients against the mean log loss: what few samples say is taken with caution."""

STEPS, RATE = 4000, 0.3
LOGARITHMIC = ("jump", "turn", "unseen", "half_turn", "epipolar", "rim", "floors", "half_focal")


@dataclass(frozen=True)
class Figures:
    """How good probabilities are.

    auroc: of right against wrong. brier: mean squared error; by_base_rate: that of the share of right ones for all.
    wrong_passed, gross_passed, right_refused: samples on the wrong side of the least probability; right, wrong, gross:
    how many there are.
    """

    auroc: float
    brier: float
    by_base_rate: float
    wrong_passed: int
    gross_passed: int
    right_refused: int
    right: int
    wrong: int
    gross: int


def fitted(samples: Sequence[Sample], learned: str, settings: dict[str, object]) -> TrustTable:
    """Return the model of some samples; a sign never speaks for a clip by being bad (weights are not negative)."""
    scaled = [_scaled(name, np.array([sample.signs.get(name, np.nan) for sample in samples])) for name in MEANING]
    bad = np.array([[sign.badness(sample.signs.get(sign.name, np.nan)) for sign in scaled] for sample in samples])
    right = np.array([sample.right for sample in samples], np.float64)
    weights, log_odds = np.zeros(len(scaled)), 0.0
    for _ in range(STEPS):
        found = 1 / (1 + np.exp(bad @ weights - log_odds))
        off = found - right
        log_odds -= RATE * float(off.mean())
        weights = np.maximum(weights - RATE * (-(off @ bad) / len(samples) + PENALTY * weights / len(samples)), 0)
    kept = tuple(
        sign.model_copy(update={"weight": round(float(weight), 3)})
        for sign, weight in zip(scaled, weights, strict=True)
        if weight > 0.05
    )
    return TrustTable(learned=learned, settings=settings, log_odds=round(log_odds, 3), signs=kept)


def held_out(samples: Sequence[Sample], fit: Callable[[Sequence[Sample]], TrustTable]) -> Float64s:
    """Return for every sample (k,) its probability by a model that was fitted without its group."""
    groups = sorted({sample.group for sample in samples})
    found = np.zeros(len(samples))
    for group in groups:
        table = fit([sample for sample in samples if sample.group != group])
        for at, sample in enumerate(samples):
            if sample.group == group:
                found[at] = table.probability(sample.signs)
    return found


def figures(samples: Sequence[Sample], probabilities: Float64s, least: float) -> Figures:
    """Return how good probabilities (k,) are; a clip passes where no check refuses it and its probability is enough."""
    right = np.array([sample.right for sample in samples])
    gross = np.array([sample.gross for sample in samples])
    passes = np.array([not sample.refused for sample in samples]) & (probabilities >= least)
    return Figures(
        auroc=auroc(probabilities, right),
        brier=float(np.mean((probabilities - right) ** 2)),
        by_base_rate=float(right.mean() * (1 - right.mean())),
        wrong_passed=int(np.sum(passes & ~right)),
        gross_passed=int(np.sum(passes & gross)),
        right_refused=int(np.sum(~passes & right)),
        right=int(right.sum()),
        wrong=int((~right).sum()),
        gross=int(gross.sum()),
    )


def auroc(scores: Float64s, right: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a right and a wrong one that scores (k,) put in order; half a point for a draw."""
    good, bad = scores[right][:, None], scores[~right][None]
    return float(np.mean((good > bad) + 0.5 * (good == bad))) if good.size and bad.size else float("nan")


def _scaled(name: str, values: Float64s) -> SignWeight:
    """Return a sign with its range: from the tenth to the ninetieth part of the values, as far as they differ."""
    known = values[np.isfinite(values)]
    logarithmic = name in LOGARITHMIC
    floor = 1e-3 if logarithmic else 0.0
    low, high = (float(f"{max(q, floor):.2g}") for q in np.percentile(known, (10, 95))) if len(known) else (0.0, 1.0)
    high = high if high > low else low + 1.0
    sign = SignWeight(name=name, scale="log" if logarithmic else "plain", best=low, worst=high, unknown=0.5, weight=0)
    usual = float(np.mean([sign.badness(value) for value in known])) if len(known) else 0.5
    return sign.model_copy(update={"unknown": round(usual, 2)})
