"""Letters and logos laid over a film: corners that stay where they are while everything else moves.

They move with the camera. In a dark room they are the best features there are, and cameras that believe them stand
still or go backwards.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats, Images

PATCH = 7
"""Pixels of the square that is compared."""

STILL_PX = 0.5
"""Movement, pixels, below which a corner is still."""

CORNER = 50.0
"""Smaller eigenvalue of the mean structure tensor, levels squared a pixel squared, from which on there is a corner."""

FRAMES = 2
"""Frames in which a corner must look the same to be none of the room; one neighbour may by chance."""

WINDOW = 6
"""Frames before and after that are compared."""

REACH = 9
"""Pixels around what is laid over that its features' descriptors see."""

LEAST, MOST = 0.002, 0.15
"""Share of the pictures below which it is chance (up to 0.0006 in real rooms), and above which the camera stands."""


def overlays(rgb: Images) -> NDArray[np.bool_]:
    """Return where frames (n, h, w, 3) uint8 RGB show what is laid over them: (n, h, w); nowhere where they stand.

    A corner that moves by d changes a patch by at least the smaller eigenvalue of its structure tensor times d squared.
    """
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in rgb]).astype(np.float32)
    corner = np.stack([_corners(frame) for frame in grey])
    is_corner = corner > CORNER
    same = np.zeros(grey.shape, np.uint8)
    for apart in range(1, min(WINDOW, len(grey) - 1) + 1):
        for first in range(len(grey) - apart):
            second = first + apart
            changed = cv2.boxFilter((grey[first] - grey[second]) ** 2, -1, (PATCH, PATCH))
            still = changed < STILL_PX**2 * np.minimum(corner[first], corner[second])
            same[first] += still
            same[second] += still
    found = is_corner & (same >= FRAMES)
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH + 1, 2 * REACH + 1))
    around = np.stack([cv2.dilate(frame.astype(np.uint8), reach) > 0 for frame in found])
    return around if LEAST < around.mean() < MOST else np.zeros_like(around)


def _corners(grey: Floats) -> Floats:
    """Return the smaller eigenvalue (h, w) of the structure tensor, mean over a patch."""
    down, across = np.gradient(grey)
    products = np.asarray([across**2, down**2, across * down], np.float32)
    xx, yy, xy = (cv2.boxFilter(product, -1, (PATCH, PATCH)) for product in products)
    return np.asarray((xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2))
