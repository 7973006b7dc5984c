"""Plane sweep (Collins 1996): how well does a pixel's neighbourhood match the sources if it lies at this depth?"""

import cv2
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
    best = np.zeros((len(inverse_depth), *views.grey.shape[1:]), np.float32)
    second = np.zeros_like(best)
    for source in views.sources[view]:
        turn, shift = views.projection(view, source)
        for plane, inverse in enumerate(inverse_depth):
            homography = turn + np.outer(shift * inverse, (0, 0, 1))
            correlation = reference.correlation(views.grey[source], homography)
            np.maximum(second[plane], np.minimum(best[plane], correlation), out=second[plane])
            np.maximum(best[plane], correlation, out=best[plane])
    return np.ascontiguousarray((1 - (best + second) / 2).transpose(1, 2, 0))


class Window:
    """Normalised cross-correlation of the square windows of a picture (h, w) in [0, 1] with warped pictures.

    Damped by the noise of the pictures, so that texture weaker than noise tells nothing.
    """

    def __init__(self, picture: Floats, settings: SweepSettings) -> None:
        self.picture = picture
        self.size = (2 * settings.radius + 1, 2 * settings.radius + 1)
        self.noise = np.float32(settings.noise**2)
        self.mean = blur(picture, self.size)
        self.spread = self._spread(picture, self.mean)
        self.kernel = np.ones(self.size, np.uint8)

    def correlation(self, source: Floats, homography: Float64s) -> Floats:
        """Return the correlation (h, w) with ``source`` where a pixel (u, 1) falls on ``homography (u, 1)``.

        Zero where the window leaves the source or lies behind its camera.
        """
        warped, inside = warp(source, homography)
        whole = cv2.erode(inside, self.kernel)
        mean = blur(warped, self.size)
        product = blur(warped * self.picture, self.size) - mean * self.mean
        product /= np.sqrt(self._spread(warped, mean) * self.spread)
        return np.asarray(product * whole)

    def _spread(self, picture: Floats, mean: Floats) -> Floats:
        return np.asarray(np.maximum(blur(picture * picture, self.size) - mean * mean, 0) + self.noise)


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
    inside = warped >= 0
    across, down, offset = homography[2]
    if min(0, across * width) + min(0, down * height) + offset <= 0:
        rows, columns = np.ogrid[0.5:height, 0.5:width]
        inside &= down * rows + across * columns + offset > 0
    return np.asarray(warped * inside, np.float32), inside.view(np.uint8)


OUTSIDE = -1e6
"""So dark that a pixel with the least share of it comes out negative."""

CENTRE_FROM_CORNER = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
CORNER_FROM_CENTRE = np.linalg.inv(CENTRE_FROM_CORNER)
"""OpenCV puts pixel centres at integers."""


def _travel(turn: Float64s, shift: Float64s, pixel: Float64s, near: float, far: float) -> float:
    first, last = turn @ pixel + shift / near, turn @ pixel + shift / far
    return float(np.linalg.norm(first[:2] / first[2] - last[:2] / last[2]))
