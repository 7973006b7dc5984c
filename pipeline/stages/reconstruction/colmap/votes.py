"""All clips of a video vote on its lens: one camera filmed them, and a clip alone may be fooled by its walk."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.stages.reconstruction.colmap.settings import LensSettings
from pipeline.stages.reconstruction.first_look import Ballot, LensFit


def elected(fits: Sequence[LensFit], aspect_step: float, settings: LensSettings) -> Ballot:
    """Return the lens of a video from what its clips say; a video of one clip takes that clip's word.

    Pixels are square unless every clip that tells something says otherwise, and says the same. A bend counts where it
    lowers the held-out error of all clips together and clips with most of the observations found it; its coefficients
    are medians over those clips, weighted by their observations.

    aspect_step: how far focal lengths must differ for pixels that are not square.
    """
    telling = [fit for fit in fits if fit.weight > 0]
    if not telling:
        return Ballot(STRAIGHT, square=False)
    aspect = _elected_aspect(telling, aspect_step)
    square = aspect == 1
    agreeing = [fit for fit in telling if abs(fit.lens.aspect / aspect - 1) <= aspect_step] or telling
    bent = [fit for fit in agreeing if fit.lens.bends]
    lens = _median_lens(bent, aspect) if bent else Distortion(aspect=aspect)
    plain, fitted = (sum(getattr(fit, name) * fit.weight for fit in telling) for name in ("plain", "fitted"))
    most = 2 * sum(fit.weight for fit in bent) > sum(fit.weight for fit in agreeing)
    if most and fitted < (1 - settings.least_gain) * plain and abs(lens.k1 + lens.k2) > settings.least_bend:
        return Ballot(lens, square)
    return Ballot(Distortion(aspect=aspect), square)


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


def _weighted_median(fits: Sequence[LensFit], value: Callable[[LensFit], float]) -> float:
    """Return the least value that half of the weight lies at or below; between two where it is half exactly."""
    values, weights = np.array([value(fit) for fit in fits]), np.array([fit.weight for fit in fits], np.float64)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    first = int(np.searchsorted(below, 0.5))
    second = int(np.searchsorted(below, 0.5, side="right"))
    return float((values[order[first]] + values[order[min(second, len(values) - 1)]]) / 2)
