"""Plane sweep (Collins 1996): how well does a pixel's neighbourhood match the sources if it lies at this depth?"""

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.stages.reconstruction.colmap.settings import SweepSettings
from pipeline.stages.reconstruction.colmap.views import ClipViews


def inverse_depths(views: ClipViews, view: int, settings: SweepSettings) -> Floats:
    """Return the inverse depths (d,) float32, far to near, evenly spaced.

    Steps are about ``settings.step`` pixels in the source with the widest baseline.
    """
    near, far = views.depth_range[view]
    height, width = views.grey.shape[1:]
    centre = np.array([width / 2, height / 2, 1])
    travel = [_travel(*views.projection(view, source), centre, near, far) for source in views.sources[view]]
    count = int(np.clip(max(travel, default=0.0) / settings.step, settings.min_planes, settings.max_planes))
    return np.linspace(1 / far, 1 / near, count).astype(np.float32)


def cost_volume(views: ClipViews, view: int, inverse_depth: Floats, settings: SweepSettings) -> Floats:
    """Return the matching cost (h, w, d) float32 in [0, 1] of every pixel of ``view`` at every inverse depth.

    One minus the mean correlation with the two best sources (the others may be occluded); 1 where no source has a say.
    """
    reference = Window(views.grey[view], settings)
    ways = [(views.grey[source], *views.projection(view, source)) for source in views.sources[view]]
    cost = np.empty((len(inverse_depth), *reference.picture.shape), np.float32)
    for plane, inverse in zip(cost, inverse_depth, strict=True):
        best, second = np.zeros((2, *plane.shape), np.float32)
        for picture, turn, shift in ways:
            correlation = reference.correlation(picture, turn + np.outer(shift * inverse, (0, 0, 1)))
            np.maximum(second, np.minimum(best, correlation), out=second)
            np.maximum(best, correlation, out=best)
        np.subtract(1, (best + second) / 2, out=plane)
    return np.ascontiguousarray(cost.transpose(1, 2, 0))


class Window:
    """Normalised cross-correlation of the square windows of a picture (h, w) in [0, 1] with warped pictures.

    Damped by the noise of the pictures, so that texture weaker than noise tells nothing. What is computed on the way
    lies in the same memory for every warped picture: a fresh piece of it each time takes longer than the sums.
    """

    def __init__(self, picture: Floats, settings: SweepSettings) -> None:
        self.picture = picture
        self.size = (2 * settings.radius + 1, 2 * settings.radius + 1)
        self.noise = np.float32(settings.noise**2)
        self.mean = blur(picture, self.size)
        self.spread = np.maximum(blur(picture * picture, self.size) - self.mean * self.mean, 0) + self.noise
        self.kernel = np.ones(self.size, np.uint8)
        self.product, self.square = np.empty((2, *picture.shape), np.float32)
        self.means = np.empty((3, *picture.shape), np.float32)

    def correlation(self, source: Floats, homography: Float64s) -> Floats:
        """Return the correlation (h, w) with ``source`` where a pixel (u, 1) falls on ``homography (u, 1)``.

        Zero where the window leaves the source or lies behind its camera.
        """
        warped, inside = warp(source, homography)
        whole = cv2.erode(inside, self.kernel)
        _multiply(warped, self.picture, self.product, self.square)
        for values, mean in zip((warped, self.product, self.square), self.means, strict=True):
            cv2.blur(values, self.size, dst=mean)
        return np.asarray(_normalised(self.means, self.mean, self.spread, self.noise, whole), np.float32)


def blur(picture: Floats, size: tuple[int, int]) -> Floats:
    """Return the mean of the window around each pixel."""
    return np.asarray(cv2.blur(picture, size), np.float32)


def warp(source: Floats, homography: Float64s) -> tuple[Floats, NDArray[np.uint8]]:
    """Sample ``source`` (h, w) where pixels (u, 1) fall: ``homography (u, 1)``, in front of the camera.

    Returns the sampled picture and, as (h, w) uint8, 1 where a pixel falls inside; the picture is 0 elsewhere.
    """
    height, width = source.shape
    warped = cv2.warpPerspective(
        source,
        CORNER_FROM_CENTRE @ homography @ CENTRE_FROM_CORNER,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=OUTSIDE,
    )
    across, down, offset = homography[2]
    if min(0, across * width) + min(0, down * height) + offset <= 0:
        rows, columns = np.ogrid[0.5:height, 0.5:width]
        warped[down * rows + across * columns + offset <= 0] = OUTSIDE
    return np.asarray(warped, np.float32), _masked(warped)


@numba.njit(nogil=True, cache=True)
def _masked(warped: Any) -> Any:
    """Return as (h, w) uint8 what is not ``OUTSIDE``, and set the rest of ``warped`` to 0."""
    inside = np.empty(warped.shape, np.uint8)
    for y in range(warped.shape[0]):
        for x in range(warped.shape[1]):
            inside[y, x] = warped[y, x] >= 0
            warped[y, x] = max(warped[y, x], np.float32(0))
    return inside


@numba.njit(nogil=True, cache=True)
def _multiply(warped: Any, picture: Any, product: Any, square: Any) -> None:
    """Write the product of two pictures (h, w), and the square of the first of them."""
    for y in range(warped.shape[0]):
        for x in range(warped.shape[1]):
            product[y, x] = warped[y, x] * picture[y, x]
            square[y, x] = warped[y, x] * warped[y, x]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _normalised(means: Any, mean: Any, spread: Any, noise: Any, whole: Any) -> Any:
    """Return the correlation (h, w) where ``whole``, else 0.

    means: (3, h, w), over windows of a warped picture, of its product with the other one, and of its square. mean,
    spread: (h, w), of the other one.
    """
    warped, product, square = means[0], means[1], means[2]
    correlation = np.empty(mean.shape, np.float32)
    for y in range(mean.shape[0]):
        for x in range(mean.shape[1]):
            own = warped[y, x]
            shared = product[y, x] - own * mean[y, x]
            scale = np.sqrt((max(square[y, x] - own * own, np.float32(0)) + noise) * spread[y, x])
            correlation[y, x] = shared / scale * np.float32(whole[y, x])
    return correlation


OUTSIDE = -1e6
"""So dark that a pixel with the least share of it comes out negative."""

CENTRE_FROM_CORNER = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
CORNER_FROM_CENTRE = np.linalg.inv(CENTRE_FROM_CORNER)
"""OpenCV puts pixel centres at integers."""


def _travel(turn: Float64s, shift: Float64s, pixel: Float64s, near: float, far: float) -> float:
    first, last = turn @ pixel + shift / near, turn @ pixel + shift / far
    return float(np.linalg.norm(first[:2] / first[2] - last[:2] / last[2]))
