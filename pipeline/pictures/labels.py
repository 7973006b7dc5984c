"""Semantic labels over the picture, with a legend."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.arrays import Images
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass, palette
from pipeline.pictures.layout import PAPER, below, beside, legend, patch, px

OPACITY = 0.6


def label_overlay(rgb: Images, labels: NDArray[np.uint8], height: int = 300) -> Image.Image:
    """Return the picture (480, 640, 3) uint8 with the labels (h, w) over it; unknown pixels show the bare picture."""
    height = px(height)
    size = (round(height * rgb.shape[1] / rgb.shape[0]), height)
    picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    opacity = np.where(enlarged == SemanticClass.UNKNOWN, 0.0, OPACITY)[..., None]
    blended = picture * (1 - opacity) + palette()[enlarged] * opacity
    present = [label for label in OCCUPIED_CLASSES if np.any(enlarged == label)]
    overlay = Image.fromarray(blended.astype(np.uint8))
    if not present:
        return overlay
    bare = [patch(PAPER, "unknown: as filmed")] if np.any(enlarged == SemanticClass.UNKNOWN) else []
    return beside(overlay, below(legend(present), *bare))
