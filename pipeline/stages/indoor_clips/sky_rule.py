"""Indoor filter ``sky_rule``: sky, greenery and upright edges; needs no weights.

The rule weighs three things that are seen at a glance: sky (blue and smooth, in the upper part), greenery (green and
textured) and upright edges, of which walls, doors and furniture make many and nature few. A title card is told by
its flat areas and even gradients: no camera delivers them.
"""

from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore
from pipeline.stages.indoor_clips.sampling import evenly_spaced
from pipeline.stages.indoor_clips.settings import SkyRuleSettings

SMALL = (160, 120)
UPPER_ROWS = 48


class SkyRule:
    """P(indoor) by a rule on sky, greenery, upright edges and flat areas, averaged over a clip's frames."""

    name = "sky_rule"
    weights: Mapping[str, str] = MappingProxyType({})

    def __init__(self, settings: SkyRuleSettings | None = None) -> None:
        self._settings = settings or SkyRuleSettings()

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB, n >= 1; evidence holds the shares and their sum."""
        shares = [_shares(frame) for frame in evenly_spaced(rgb, self._settings.frames)]
        mean = {name: float(np.mean([frame[name] for frame in shares])) for name in shares[0]}
        few_uprights = self._settings.usual_uprights - mean["uprights"]
        outdoor = mean["sky"] + mean["greenery"] + self._settings.upright_weight * few_uprights
        is_inside = _sigmoid((self._settings.balance - outdoor) / self._settings.softness)
        is_filmed = _sigmoid((self._settings.flat_balance - mean["flat"]) / self._settings.softness)
        return IndoorScore(is_inside * is_filmed, {**mean, "outdoor": outdoor})


def _shares(rgb: Images) -> dict[str, float]:
    """Return the shares of sky in the upper part, greenery, upright edges and flat areas in one frame."""
    small = cv2.GaussianBlur(cv2.resize(rgb, SMALL, interpolation=cv2.INTER_AREA), (3, 3), 0)
    hue, saturation, value = np.moveaxis(cv2.cvtColor(small, cv2.COLOR_RGB2HSV).astype(np.int64), 2, 0)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    roughness = _local_deviation(gray)
    sky = (2 * hue > 185) & (2 * hue < 265) & (saturation > 40) & (value > 50) & (roughness < 8)
    green = (2 * hue > 55) & (2 * hue < 170) & (saturation > 35) & (value > 30) & (roughness > 3)
    return {
        "sky": float(sky[:UPPER_ROWS].mean()),
        "greenery": float(green.mean()),
        "uprights": _upright_share(gray),
        "flat": _flat_share(gray),
    }


def _local_deviation(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the standard deviation of every 5 x 5 neighbourhood, grey levels."""
    variance = cv2.blur(gray * gray, (5, 5)) - cv2.blur(gray, (5, 5)) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)


def _upright_share(gray: NDArray[np.float32]) -> float:
    """Return the share of edge strength that lies in edges within 8 degrees of upright."""
    across, down = np.abs(cv2.Sobel(gray, cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    strength = np.hypot(across, down)
    strong = strength > 20
    upright = strong & (down < np.tan(np.radians(8)) * across)
    return float(strength[upright].sum() / max(float(strength[strong].sum()), 1.0))


def _flat_share(gray: NDArray[np.float32]) -> float:
    """Return the share of pixels about which the picture is a plane: drawn, not filmed, as on a title card."""
    bumps = cv2.absdiff(gray, cv2.blur(gray, (7, 7)))
    return float((cv2.blur(bumps, (7, 7)) < 0.5).mean())


def _sigmoid(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
