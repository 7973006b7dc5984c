"""Scale of a reconstruction from metric depth of single pictures: one number a view, one for all, each with its spread.

A network for metric depth errs in shape, pixel by pixel, which a median over pixels hardly feels, and in scale, as a
whole: there every view has a part of its own, and all views of a house share another. So the median of the logarithm of
the ratio of both depths is taken in every view, then over the views; more views lessen only the first part.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

SHARED_SPREAD = 0.06
"""Of the logarithm of scale: what all views of one house share, however many there are (assumed, not yet measured)."""

OWN_SPREAD = 0.10
"""What a view adds of its own, taken for as much as four views say (assumed, not yet measured)."""

FEWEST_PIXELS = 300
WIDEST_IN_A_VIEW = 0.15
"""Spread of the logarithm inside a view above which both depths do not show the same thing."""

FOCAL_OFF = 0.15
"""How far the network's own focal length may be from the reconstruction's."""

_EDGE, _NEAREST, _STEEPEST = 0.04, 0.9, 0.2
_PRIOR_VIEWS = 4
_TO_DEVIATION = 1.4826
"""From a median absolute deviation to the standard deviation of a normal distribution."""

_Depths = NDArray[np.floating]


@dataclass(frozen=True)
class ViewRatio:
    """What one view says.

    log_ratio: median of log(metric / given), nan without pixels. spread: robust deviation over the pixels. pixels: how
    many counted. left_out: why the view does not count, empty where it does.
    """

    log_ratio: float
    spread: float
    pixels: int
    left_out: str = ""


@dataclass(frozen=True)
class DepthScale:
    """Evidence for the scale of a clip: metres a unit of the given depth, and how sure that is.

    log_scale: natural logarithm. sigma: its standard deviation, what views share included. between_views: robust
    deviation of the views, without a prior. views: all of them, also those that were left out. places: how many
    different places the views that count were taken at.
    """

    log_scale: float
    sigma: float
    between_views: float
    views: tuple[ViewRatio, ...]
    places: int

    @property
    def scale(self) -> float:
        """Metres a unit of the given depth."""
        return math.exp(self.log_scale)


@dataclass(frozen=True)
class TrustedPixels:
    """What is known of the pixels of N views; whatever is None is not asked.

    solid: (N, h, w) bool, where the network's depth is of something solid. weights: (N, h, w), confidence of the
    given depth, 0 = not to be trusted. facing: (N, h, w), cosine between surface normal and ray, of either sign.
    """

    solid: NDArray[np.bool_] | None = None
    weights: _Depths | None = None
    facing: _Depths | None = None


def scale_from_depth(
    metric: _Depths,
    given: _Depths,
    trusted: TrustedPixels | None = None,
    *,
    focal_ratio: NDArray[np.floating] | None = None,
    places: NDArray[np.integer] | None = None,
    own_spread: float = OWN_SPREAD,
) -> DepthScale | None:
    """Compare metric depth with given depth, both (N, h, w) along the camera's axis; None where no view counts.

    What is not positive or not finite has no depth. focal_ratio: (N,), the network's own focal length over the
    reconstruction's. places: (N,), views of one place have one number and count as one.
    own_spread: what a view adds of its own to the logarithm, by what the network says of itself.
    """
    if metric.shape != given.shape or metric.ndim != 3:
        message = f"depths must be (N, h, w) of one size, not {metric.shape} and {given.shape}"
        raise ValueError(message)
    pixels = trusted or TrustedPixels()
    views = tuple(
        _view_ratio(
            metric[view], given[view], _of_view(pixels, view), None if focal_ratio is None else focal_ratio[view]
        )
        for view in range(len(metric))
    )
    counted = [index for index, view in enumerate(views) if not view.left_out]
    if not counted:
        return None
    at = np.arange(len(views)) if places is None else np.asarray(places)
    values = np.array([views[index].log_ratio for index in counted])
    of_places = np.array([np.median(values[at[counted] == place]) for place in np.unique(at[counted])])
    centre = float(np.median(of_places))
    between = _TO_DEVIATION * float(np.median(np.abs(of_places - centre)))
    count = len(of_places)
    # own^2: of what was assumed, worth four views, and of what was seen
    own = (_PRIOR_VIEWS * own_spread**2 + count * between**2) / (_PRIOR_VIEWS + count)
    return DepthScale(centre, math.sqrt(SHARED_SPREAD**2 + own / count), between, views, count)


def _of_view(trusted: TrustedPixels, view: int) -> TrustedPixels:
    maps = (trusted.solid, trusted.weights, trusted.facing)
    solid, weights, facing = (None if one is None else one[view] for one in maps)
    return TrustedPixels(solid, weights, facing)


def _view_ratio(metric: _Depths, given: _Depths, trusted: TrustedPixels, focal_ratio: float | None) -> ViewRatio:
    weights = np.ones(given.shape) if trusted.weights is None else np.asarray(trusted.weights, np.float64)
    counted = _has_depth(metric) & _has_depth(given) & np.isfinite(weights) & (weights > 0)
    if trusted.solid is not None:
        counted &= trusted.solid
    if trusted.facing is not None:
        counted &= np.abs(trusted.facing) > _STEEPEST
    counted &= ~_edges(metric) & ~_edges(given)
    if counted.any():
        counted &= given <= np.quantile(given[counted], _NEAREST)
    found = int(counted.sum())
    if found == 0:
        return ViewRatio(math.nan, math.nan, 0, "no pixel has both depths")
    logs, shares = np.log(metric[counted] / given[counted].astype(np.float64)), weights[counted]
    centre = _weighted_median(logs, shares)
    spread = _TO_DEVIATION * _weighted_median(np.abs(logs - centre), shares)
    return ViewRatio(centre, spread, found, _reason(found, spread, focal_ratio))


def _reason(pixels: int, spread: float, focal_ratio: float | None) -> str:
    """Why a view does not count."""
    if pixels < FEWEST_PIXELS:
        return f"only {pixels} pixels have both depths"
    if spread > WIDEST_IN_A_VIEW:
        return f"the ratio of depths differs by {spread:.0%} inside the view"
    if focal_ratio is not None and not abs(math.log(focal_ratio)) <= math.log1p(FOCAL_OFF):
        return f"the network takes the focal length to be {focal_ratio:.2f} times what it is"
    return ""


def _has_depth(depth: _Depths) -> NDArray[np.bool_]:
    return np.isfinite(depth) & (depth > 0)


def _edges(depth: _Depths) -> NDArray[np.bool_]:
    """Where depth jumps within 3 x 3 pixels; holes are no jumps."""
    there = _has_depth(depth)
    farthest = maximum_filter(np.where(there, depth, -np.inf), 3, mode="nearest")
    nearest = minimum_filter(np.where(there, depth, np.inf), 3, mode="nearest")
    jumps: NDArray[np.bool_] = farthest - nearest > _EDGE * np.where(there, depth, np.inf)
    return jumps


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(share, share[-1] / 2)])
