"""All clips of a video vote on its lens: one camera filmed them, and a clip alone may be fooled by its walk."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.shutter import elected_readout, scattered
from pipeline.stages.reconstruction.first_look import FARTHEST, UNSURE, Ballot, LensFit

SURE = 0.06
"""Spread below which what the clips say together is used, by clips that are less sure."""

LINES_OFF, MATCHES_OFF = 0.003, 0.012
"""Standard deviations of a bend beside what edges say of themselves, and by matches of clips of a hard tour. Of seven
films edges were off by 0.0015 and by what they said; of ten clips of three of them matches by 0.001 to 0.032."""

_NONE = 1e-9
"""Rounding of a coefficient that is 0."""


def elected(fits: Sequence[LensFit], aspect_step: float, settings: LensSettings, known: float = math.inf) -> Ballot:
    """Return the camera of a video from what its clips say: its lens, and its shutter.

    Where rows are exposed one after another, pixels that seem not square are what that looks like.

    known: standard deviation of a bend that edges told before and that was undone.
    """
    ballot, readout = _elected_lens(fits, aspect_step, settings, known), elected_readout(fits, settings)
    if readout:
        ballot = ballot._replace(lens=replace(ballot.lens, aspect=1.0), square=True)
    return ballot._replace(readout=readout)


def _elected_lens(fits: Sequence[LensFit], aspect_step: float, settings: LensSettings, known: float) -> Ballot:
    """Return the lens of a video from what its clips say; a video of one clip takes that clip's word.

    Pixels are square unless every clip that tells something, two at least of more, says otherwise, and says the same;
    of several clips of which none tells anything, too. A bend counts where it lowers the held-out error of all clips
    together and clips with most of the observations found it; its coefficients are medians over those clips, weighted
    by their observations. Of one coefficient edges know more than matches: of what these want to add as much is taken
    as is likely.

    aspect_step: how far focal lengths must differ for pixels that are not square.
    """
    telling = [fit for fit in fits if fit.weight > 0]
    if not telling:
        return Ballot(STRAIGHT, square=len(fits) > 1)
    aspect = _elected_aspect(telling, aspect_step) if len(telling) >= min(2, len(fits)) else 1.0
    square, (focal, spread) = aspect == 1, elected_focal(fits)
    agreeing = [fit for fit in telling if abs(fit.lens.aspect / aspect - 1) <= aspect_step]
    bent = [fit for fit in agreeing if fit.lens.bends]
    lens = _likely(_median_lens(bent, aspect), known) if bent else Distortion(aspect=aspect)
    plain, fitted = (sum(getattr(fit, name) * fit.weight for fit in telling) for name in ("plain", "fitted"))
    most = 2 * sum(fit.weight for fit in bent) > sum(fit.weight for fit in agreeing)
    if most and fitted < (1 - settings.least_gain) * plain and abs(lens.k1 + lens.k2) > settings.least_bend:
        return Ballot(lens, square, focal, spread=spread)
    return Ballot(Distortion(aspect=aspect), square, focal, spread=spread)


def elected_focal(fits: Sequence[LensFit]) -> tuple[float, float]:
    """Return the focal length (pixels across) of a video from what its clips say, and the spread of its logarithm.

    The mean of their logarithms, weighted by how sure they are; clips that are far from most of them were filmed with
    another lens, or another zoom. They tell where at least two agree; both are 0 where they do not, or are not sure.
    """
    told = [fit for fit in fits if fit.focal > 0 and fit.spread < UNSURE]
    if len(told) < 2:
        return 0.0, 0.0
    logarithm = np.log([fit.focal for fit in told])
    spread = np.array([fit.spread for fit in told])
    centre = math.log(_weighted_median(told, lambda fit: fit.focal, lambda fit: fit.spread**-2))
    near = np.abs(logarithm - centre) < FARTHEST * spread
    weight = spread**-2 * near
    if near.sum() < 2 or 2 * weight.sum() <= (spread**-2).sum():
        return 0.0, 0.0
    mean = float(np.average(logarithm, weights=weight))
    sure = scattered(float((weight * (logarithm - mean) ** 2).sum()), int(near.sum()), float(weight.sum()))
    return (math.exp(mean), sure) if sure < SURE else (0.0, 0.0)


def _likely(lens: Distortion, known: float) -> Distortion:
    """Return how much of a bend is likely that matches want to add where edges have told one."""
    if abs(lens.k2) > _NONE or math.isinf(known):
        return lens
    # of two independent values, 0 with sigma and k1 with its own, the mean: k1 / (1 + sigma_k1^2 / sigma^2)
    return lens.scaled(1 / (1 + MATCHES_OFF**2 / (known**2 + LINES_OFF**2)))


def _elected_aspect(fits: Sequence[LensFit], step: float) -> float:
    aspects = np.array([fit.lens.aspect for fit in fits])
    median = _weighted_median(fits, lambda fit: fit.lens.aspect)
    unlike = (np.abs(aspects - 1) > step) & (np.abs(aspects / median - 1) <= step)
    return median if unlike.all() else 1.0


def _median_lens(fits: Sequence[LensFit], aspect: float) -> Distortion:
    """Take the median of how far corners move and edges do, and of the tangential coefficients; then name k1 and k2."""
    corner = _weighted_median(fits, lambda fit: fit.lens.k1 + fit.lens.k2)
    halfway = _weighted_median(fits, lambda fit: fit.lens.k1 / 4 + fit.lens.k2 / 16)
    k2 = (corner - 4 * halfway) * 4 / 3
    p1 = _weighted_median(fits, lambda fit: fit.lens.p1)
    p2 = _weighted_median(fits, lambda fit: fit.lens.p2)
    return Distortion(corner - k2, k2, p1, p2, aspect)


def _weighted_median(
    fits: Sequence[LensFit],
    value: Callable[[LensFit], float],
    weight: Callable[[LensFit], float] = lambda fit: fit.weight,
) -> float:
    """Return the least value that half of the weight lies at or below; between two where it is half exactly."""
    values, weights = np.array([value(fit) for fit in fits]), np.array([weight(fit) for fit in fits], np.float64)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    first = int(np.searchsorted(below, 0.5))
    second = int(np.searchsorted(below, 0.5, side="right"))
    return float((values[order[first]] + values[order[min(second, len(values) - 1)]]) / 2)
