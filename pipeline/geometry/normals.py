"""Normals of depth maps, by plane fits to windows of inverse depth.

A plane's inverse depth is linear over the picture: ``1 / z = g . (x, y, 1)`` with the pixel's ray ``(x, y, 1)``, and
``-g`` is its normal, facing the camera. So a normal is a straight line fit in x and y, from sums over a window. With
the means mx, my, md of x, y and d = 1 / z over the window, and their (co)variances xx, xy, yy, xd, yd, dd:

    (xx xy; xy yy) (gx, gy) = (xd, yd)
    gz = md - gx mx - gy my
    mean squared residual = dd - gx xd - gy yd
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PlaneFits:
    """A plane around every pixel of a depth map, in the camera's frame.

    normals: (h, w, 3) unit, facing the camera. depth: (h, w), z-depth of the plane at the pixel, unit of the depth map.
    flat: (h, w), where the pixel has depth, its window is half filled and the plane fits; the rest holds rubbish.
    """

    normals: NDArray[np.float64]
    depth: NDArray[np.float64]
    flat: NDArray[np.bool_]


def fit_planes(
    depth: NDArray[np.float32], rays: NDArray[np.float64], window_share: float, roughness_max: float
) -> PlaneFits:
    """Fit a plane to the window around every pixel of a depth map (h, w).

    rays: (h, w, 3), z = 1. window_share: side of the window in picture widths. roughness_max: greatest root mean square
    distance of the window's depths from the plane, as a share of depth.
    """
    side = 2 * round(window_share * depth.shape[1] / 2) + 1
    seen = depth > 0
    inverse = np.divide(1.0, depth, out=np.zeros(depth.shape), where=seen)
    x, y = rays[..., 0], rays[..., 1]
    terms = np.stack([np.ones_like(x), x, y, inverse, x * x, x * y, y * y, x * inverse, y * inverse, inverse * inverse])
    covered, *sums = (cv2.boxFilter(term * seen, -1, (side, side), borderType=cv2.BORDER_CONSTANT) for term in terms)
    # means over the window, of products too
    mx, my, md, xx, xy, yy, xd, yd, dd = (total / np.maximum(covered, 1e-9) for total in sums)
    # cov(a, b) = mean(a b) - mean(a) mean(b)
    xx, xy, yy, xd, yd, dd = xx - mx * mx, xy - mx * my, yy - my * my, xd - mx * md, yd - my * md, dd - md * md
    determinant = np.maximum(xx * yy - xy * xy, 1e-18)
    # (gx, gy) by Cramer's rule
    slope_x, slope_y = (yy * xd - xy * yd) / determinant, (xx * yd - xy * xd) / determinant
    gradient = np.stack([slope_x, slope_y, md - slope_x * mx - slope_y * my], axis=-1)
    # 1 / z of the plane at the pixel: g . (x, y, 1)
    fitted = np.maximum((gradient * rays).sum(axis=-1), 1e-9)
    # root mean square of the residuals of 1 / z, relative to 1 / z: so that of z relative to z
    rough = np.sqrt(np.maximum(dd - slope_x * xd - slope_y * yd, 0)) / fitted
    return PlaneFits(
        normals=-gradient / np.linalg.norm(gradient, axis=-1, keepdims=True).clip(1e-12),
        depth=1 / fitted,
        flat=seen & (covered > 0.5) & (rough < roughness_max),
    )
