"""What metric depth of single pictures says of a clip's scale, as evidence beside floor, ceiling and camera."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_WIDTH, Reconstruction
from pipeline.geometry.depth_scale import SHARED_SPREAD
from pipeline.stages.scene import sizes

NO_MATTER_HOW_WRONG = 1e-3
"""Density of metric depth that is wrong beyond all spreads: what is absurd says nothing."""


@dataclass(frozen=True)
class MetricDepth:
    """Natural logarithm of metres a unit, and its standard deviation besides what all clips of a video share."""

    log_scale: float
    own: float

    @property
    def sigma(self) -> float:
        """Standard deviation with what all clips of a video share."""
        return float(np.hypot(self.own, SHARED_SPREAD))

    def density(self, log_scales: Float64s) -> Float64s:
        """Return the density (m, b) of log scales (m,) where metric depth is off by each of ``METRIC_BIASES`` (b,)."""
        off = log_scales[:, None] - self.log_scale
        right = sizes.normal(off - sizes.METRIC_BIASES, self.own)
        wrong = sizes.normal(off, sizes.METRIC_WRONG_SPREAD) + NO_MATTER_HOW_WRONG
        return np.asarray((1 - sizes.METRIC_WRONG) * right + sizes.METRIC_WRONG * wrong)


def metric_depth(reconstruction: Reconstruction) -> MetricDepth | None:
    """Return what metric depth says of a reconstruction; None where nothing was asked or could tell.

    What is stored has the spread that views share in it. Wide cameras add to it.
    """
    sigma = reconstruction.log_scale_sigma
    if not (np.isfinite(reconstruction.log_scale) and sigma > 0):
        return None
    focal = float(np.median(reconstruction.intrinsics[reconstruction.registered, 0, 0]))
    field = 2 * np.degrees(np.arctan(FRAME_WIDTH / 2 / focal))
    wide = sizes.METRIC_WIDE if field > sizes.METRIC_FIELD else 0.0
    own = np.sqrt(max(sigma**2 - SHARED_SPREAD**2, sizes.METRIC_OWN**2) + wide**2)
    return MetricDepth(float(reconstruction.log_scale), float(own))


def together(found: Sequence[MetricDepth | None]) -> MetricDepth | None:
    """Return what clips of one world say together, in one unit; None where none says anything."""
    said = [one for one in found if one is not None]
    if not said:
        return None
    weights = np.array([one.own**-2 for one in said])
    middle = float(np.average([one.log_scale for one in said], weights=weights))
    return MetricDepth(middle, float(max(weights.sum() ** -0.5, sizes.METRIC_OWN)))
