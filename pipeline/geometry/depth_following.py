"""Depth that follows what was measured around it: what a fit of one scale and shift leaves over varies slowly.

A network bends shapes by a few percent, smoothly. The logarithm of the ratio of measured to fitted depth is averaged
around every pixel, first widely, then what is left of it narrowly; far from all that was measured it fades to nothing.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

MOST = 0.25
"""Logarithm of the ratio beyond which a pixel says no more than at it: edges that do not lie upon one another."""

_FADE = 0.02
"""Weight of "as fitted" beside what is measured around a pixel, of which all of it would have 1."""

_WIDE, _NARROW = 1.0, 0.35

_Depth = NDArray[np.floating]


def followed(depth: _Depth, measured: _Depth, reach: float) -> NDArray[np.float64]:
    """Return fitted depth (h, w) with what measured depth (h, w) around each pixel adds; 0 stays 0.

    reach: standard deviation of the wide average, pixels. Values that are not positive are none.
    """
    known = (depth > 0) & (measured > 0)
    left = np.zeros(depth.shape)
    left[known] = np.clip(np.log(measured[known] / depth[known].astype(np.float64)), -MOST, MOST)
    total = np.zeros(depth.shape)
    for part in (_WIDE, _NARROW):
        total += _average(np.where(known, left - total, 0), known, part * reach)
    return np.asarray(depth * np.exp(total))


def _average(values: NDArray[np.float64], known: NDArray[np.bool_], sigma: float) -> NDArray[np.float64]:
    blurred = [cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) for part in (values, 1.0 * known)]
    return np.asarray(blurred[0] / (blurred[1] + _FADE))
