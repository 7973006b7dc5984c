"""Focal length and shift of a point map: which camera at the middle of the picture sees the points in their pixels."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.moge.raw import picture_coordinates

SAMPLES = 64
"""Rows and columns of pixels that are looked at, whatever the picture's size and shape."""

_STEPS = 100
_SETTLED = 1e-10
_UNDETERMINED = 1e-12
"""Least curvature, relative to the coordinates: below it any shift explains the points, as for a wall seen head-on."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Fit:
    """Residuals of a shift, the best focal length for it, and how residuals change with the shift."""

    focal: float
    residuals: _Floats
    slope: _Floats

    @property
    def cost(self) -> float:
        return float(np.vdot(self.residuals, self.residuals))


def solve_focal_and_shift(
    points: Tensor, mask: Tensor | None = None, focal: float | None = None
) -> tuple[float, float]:
    """Return the focal length, relative to half the picture's diagonal, and what to add to z.

    Both make the sum of squared distances between pixels and projected points least; shifts that put a point behind the
    camera are out of the question. Fewer than two points: 1 and 0. Undetermined: the shift stays 0.

    points: (H, W, 3) float. mask: (H, W) bool, which of them count. focal: of the camera where it is known.
    """
    chosen, pixels = _sampled(points, mask)
    if len(chosen) < 2:
        return (1.0 if focal is None else focal), 0.0
    return _least_squares(chosen, pixels, focal)


def own_focal(points: Tensor, mask: Tensor | None = None) -> float:
    """Return the focal length, relative to half the diagonal, under which points (H, W, 3) fall into their pixels.

    1 where there are fewer than two points before the camera. mask: (H, W) bool, which of them count.
    """
    chosen, pixels = _sampled(points, mask)
    front = chosen[:, 2] > 0
    return 1.0 if front.sum() < 2 else _fit(chosen[front], pixels[front], 0.0, None).focal


def _sampled(points: Tensor, mask: Tensor | None) -> tuple[_Floats, _Floats]:
    """Return finite points (k, 3) that count, evenly spread, and their pixels (k, 2)."""
    height, width = points.shape[:2]
    rows, columns = (torch.arange(SAMPLES, device=points.device) * side // SAMPLES for side in (height, width))
    at = (rows[:, None], columns[None])
    counted = (torch.ones_like(points[..., 0], dtype=torch.bool) if mask is None else mask)[at]
    pixels = picture_coordinates((height, width), (height, width), points.device)[at][counted]
    chosen = points[at][counted]
    finite = chosen.isfinite().all(-1)
    return chosen[finite].double().cpu().numpy(), pixels[finite].double().cpu().numpy()


def _least_squares(points: _Floats, pixels: _Floats, focal: float | None) -> tuple[float, float]:
    """Gauss-Newton with halved steps in the one unknown, the focal length being put in (variable projection)."""
    z = points[:, 2]
    nearest = -float(z.min())
    shift = 0.0 if nearest < 0 else nearest + 0.5 * float(np.median(z) + nearest) + 1e-6 * (1 + abs(nearest))
    fit = _fit(points, pixels, shift, focal)
    total = float(np.vdot(pixels, pixels))
    for _ in range(_STEPS):
        curvature = float(np.vdot(fit.slope, fit.slope))
        scale = float(np.median(z)) + shift
        if curvature * scale**2 <= _UNDETERMINED * total:
            break
        step = -float(np.vdot(fit.residuals, fit.slope)) / curvature
        step = max(step, 0.5 * (nearest - shift))  # stay before the camera
        while abs(step) > _SETTLED * scale:
            tried = _fit(points, pixels, shift + step, focal)
            if tried.cost < fit.cost:
                break
            step /= 2
        else:
            break
        shift, fit = shift + step, tried
    return fit.focal, shift


def _fit(points: _Floats, pixels: _Floats, shift: float, focal: float | None) -> _Fit:
    depth = points[:, 2:] + shift
    # p = (x, y) / (z + s), dp/ds = -p / (z + s)
    projected = points[:, :2] / depth
    change = -projected / depth
    squares = float(np.vdot(projected, projected))
    if focal is not None or squares == 0:
        known = 1.0 if focal is None else focal
        return _Fit(known, known * projected - pixels, known * change)
    # f = sum p.q / sum p.p, df/ds = (sum dp.q - 2 f sum p.dp) / sum p.p
    best = float(np.vdot(projected, pixels)) / squares
    best_change = (float(np.vdot(change, pixels)) - 2 * best * float(np.vdot(projected, change))) / squares
    return _Fit(best, best * projected - pixels, best_change * projected + best * change)
