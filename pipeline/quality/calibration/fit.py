"""Fits the logistic model and says how good it is: every house is judged by a model that has not seen it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.quality.calibration.samples import JudgedClip
from pipeline.stages.reconstruction.colmap.probability import SignWeight, TrustTable

REAL_RUNS: Mapping[str, tuple[Literal["plain", "log"], float, float, float]] = {
    "missing": ("plain", 0.0, 0.6, 0.0),
    "few": ("plain", 0.1, 0.33, 0.5),
    "jump": ("log", 1.3, 5.0, 2.0),
    "shallow": ("log", 0.1, 0.6, 0.5),
    "unseen": ("log", 0.015, 0.1, 1.0),
    "half_turn": ("log", 0.5, 4.0, 1.0),
    "half_focal": ("log", 0.05, 0.4, 0.5),
    "unusual": ("plain", 0.55, 1.0, 2.0),
    "vague": ("log", 0.01, 0.1, 1.0),
    "uneven": ("plain", 0.0, 0.2, 1.0),
    "bend": ("plain", 0.03, 0.12, 1.5),
    "contradicted": ("plain", 0.02, 0.3, 1.0),
    "epipolar": ("log", 0.8, 6.0, 2.0),
    "apart": ("log", 1.0, 5.0, 3.0),
    "rim": ("plain", 1.5, 3.0, 0.0),
    "hollow": ("plain", 0.25, 0.7, 1.0),
    "through": ("plain", 0.03, 0.25, 1.0),
    "crooked": ("plain", 0.6, 0.85, 0.5),
    "floors": ("log", 0.03, 0.3, 1.0),
}
"""Scale, best, worst and expected weight of every sign: what 96 runs on real films of six places said (49 right, 30
grossly wrong), and what five wrong reconstructions had in common that had passed all checks. Houses alone would not
teach it: few of them fail as films do. How far the camera turns in a step is no sign: it says that a clip is hard."""

PENALTY = 0.3
"""Weight of the squared distances from the expected weights against the summed log loss of the samples."""

USUAL = 0.3
"""Badness that is taken of a sign that no sample tells."""

STEPS, RATE = 3000, 0.3


@dataclass(frozen=True)
class Figures:
    """How good probabilities are.

    auroc: of right against wrong. brier: mean squared error; by_base_rate: that of the share of right ones for all.
    wrong_passed, gross_passed, right_refused: samples on the wrong side of the checks and the least probability;
    passed_before: wrong ones that the checks alone let pass. right, wrong, gross: how many there are.
    """

    auroc: float
    brier: float
    by_base_rate: float
    wrong_passed: int
    gross_passed: int
    right_refused: int
    passed_before: int
    right: int
    wrong: int
    gross: int


def fitted(samples: Sequence[JudgedClip], learned: str, settings: dict[str, object]) -> TrustTable:
    """Return the model of some samples; a sign never speaks for a clip by being bad (weights are not negative)."""
    scaled = [_scaled(name, [sample.signs.get(name, float("nan")) for sample in samples]) for name in REAL_RUNS]
    bad = np.array([[sign.badness(sample.signs.get(sign.name, float("nan"))) for sign in scaled] for sample in samples])
    right = np.array([sample.right for sample in samples], np.float64)
    expected = np.array([sign.weight for sign in scaled])
    weights, log_odds = expected.copy(), 2.0
    for _ in range(STEPS):
        off = 1 / (1 + np.exp(bad @ weights - log_odds)) - right
        log_odds -= RATE * float(off.mean())
        weights = np.maximum(weights + RATE * (off @ bad - PENALTY * (weights - expected)) / len(samples), 0)
    found = [sign.model_copy(update={"weight": round(float(w), 2)}) for sign, w in zip(scaled, weights, strict=True)]
    kept = tuple(sign for sign in found if sign.weight >= 0.05)
    return TrustTable(learned=learned, settings=settings, log_odds=round(log_odds, 2), signs=kept)


def held_out(samples: Sequence[JudgedClip], fit: Callable[[Sequence[JudgedClip]], TrustTable]) -> Float64s:
    """Return for every sample (k,) its probability by a model that was fitted without its group."""
    groups = sorted({sample.group for sample in samples})
    found = np.zeros(len(samples))
    for group in groups:
        table = fit([sample for sample in samples if sample.group != group])
        for at, sample in enumerate(samples):
            if sample.group == group:
                found[at] = table.probability(sample.signs)
    return found


def figures(samples: Sequence[JudgedClip], probabilities: Float64s, least: float) -> Figures:
    """Return how good probabilities (k,) are; a clip passes where no check refuses it and its probability is enough."""
    right = np.array([sample.right for sample in samples])
    gross = np.array([sample.gross for sample in samples])
    before = np.array([not sample.refused for sample in samples])
    passes = before & (probabilities >= least)
    return Figures(
        auroc=auroc(probabilities, right),
        brier=float(np.mean((probabilities - right) ** 2)),
        by_base_rate=float(right.mean() * (1 - right.mean())),
        wrong_passed=int(np.sum(passes & ~right)),
        gross_passed=int(np.sum(passes & gross)),
        right_refused=int(np.sum(~passes & right)),
        passed_before=int(np.sum(before & ~right)),
        right=int(right.sum()),
        wrong=int((~right).sum()),
        gross=int(gross.sum()),
    )


def auroc(scores: Float64s, right: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a right and a wrong one that scores (k,) put in order; half a point for a draw."""
    good, bad = scores[right][:, None], scores[~right][None]
    return float(np.mean((good > bad) + 0.5 * (good == bad))) if good.size and bad.size else float("nan")


def _scaled(name: str, values: Sequence[float]) -> SignWeight:
    """Return a sign with its range and expected weight; where it is not known, it is taken to be as bad as usual."""
    scale, best, worst, expected = REAL_RUNS[name]
    sign = SignWeight(name=name, scale=scale, best=best, worst=worst, unknown=USUAL, weight=expected)
    known = [sign.badness(value) for value in values if not np.isnan(value)]
    return sign.model_copy(update={"unknown": round(float(np.mean(known)), 2)}) if known else sign
