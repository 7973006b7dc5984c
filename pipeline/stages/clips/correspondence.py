"""Do two pictures show the same scene? Optical flow carries one onto the other, local correlation compares them."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages
from pipeline.contract.records import WHOLE, Box

Flow = NDArray[np.float32]

LOCAL_WINDOW = 9
TEXTURE_VARIANCE = 25.0
LEAST_TEXTURED_PIXELS = 100
LEAST_OF_A_SIDE = 0.2
"""Share of the picture's width or height that a film between bars has at least."""


def correspondence(first: GrayImages, last: GrayImages, flows: Sequence[Flow]) -> float:
    """Return how well one picture is found again in a later one, about 0 to 1.

    The result is the median, over textured pixels that stay in view, of the normalised correlation of 9 x 9
    neighbourhoods; 1 where too few pixels have texture or stay in view to tell.

    Args:
        first: (h, w) uint8; about 160 x 120 is meant.
        last: (h, w) uint8.
        flows: the flow from ``first`` to ``last``, or from picture to picture on the way there: so that any
            camera motion can be followed.
    """
    *_, (x, y, still) = _followed(flows)
    found_again = cv2.remap(last, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _local_correlation(first, np.asarray(found_again, np.uint8), still)


def in_view(flows: Sequence[Flow]) -> NDArray[np.float64]:
    """Return the share of the first picture that is still in view after each flow (n,); it never rises."""
    return np.array([float(still.mean()) for _, _, still in _followed(flows)])


def flow(first: GrayImages, second: GrayImages) -> Flow:
    """Return where the pixels of ``first`` went in ``second``: (h, w, 2) float32, pixels right and down."""
    dense = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return np.asarray(dense.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)


def film_of(picture: GrayImages, box: Box) -> GrayImages:
    """Return what lies in a box of a picture (h, w), enlarged to as many pixels, in which flow can be followed as far.

    All of it, where the box is so flat or narrow that it holds a line of text and no film.
    """
    if box == WHOLE or min(box.right - box.left, box.bottom - box.top) < LEAST_OF_A_SIDE:
        return picture
    height, width = picture.shape
    rows = slice(round(box.top * height), round(box.bottom * height))
    part = picture[rows, round(box.left * width) : round(box.right * width)]
    scale = float(np.sqrt(picture.size / part.size))
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _followed(flows: Sequence[Flow]) -> Iterator[tuple[Flow, Flow, NDArray[np.bool_]]]:
    """Yield after each flow where every pixel is, x and y, and whether it stayed in view all the way."""
    height, width = flows[0].shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    still = np.ones((height, width), bool)
    for step in flows:
        moved = cv2.remap(step, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x, y = x + moved[..., 0], y + moved[..., 1]
        still = still & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        yield x, y, still


def _local_correlation(first: GrayImages, second: GrayImages, where: NDArray[np.bool_]) -> float:
    a, b = first.astype(np.float32), second.astype(np.float32)
    mean_a, mean_b = _mean(a), _mean(b)
    variance_a, variance_b = _mean(a * a) - mean_a**2, _mean(b * b) - mean_b**2
    textured = where & (np.maximum(variance_a, variance_b) > TEXTURE_VARIANCE)
    if np.count_nonzero(textured) < LEAST_TEXTURED_PIXELS:
        return 1.0
    noise_floor = 4.0
    spread = np.sqrt(np.maximum(variance_a, noise_floor) * np.maximum(variance_b, noise_floor))
    return float(np.median(((_mean(a * b) - mean_a * mean_b) / spread)[textured]))


def _mean(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(picture, (LOCAL_WINDOW, LOCAL_WINDOW)), np.float32)
