"""Perceptual hashes: 64 bits a picture that a new encoding, another size, a logo or a small crop changes little.

The signs of the low frequencies of a cosine transform (Zauner 2010, section 3.2). Each picture is hashed whole and
cropped about its centre, so that a cropped copy meets the crop of its original.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages, Images
from pipeline.sources.duplicates.settings import SAME_PICTURE

CROPS = (1.0, 0.92, 0.84)
SIDE = 32
LOW = 8
PLAIN = 8.0
"""Standard deviation, 8-bit levels, under which a picture (black, a plain card) says nothing of its video."""

Hashes = NDArray[np.uint64]
"""(frames, crops) uint64; frames that say nothing are left out."""


def picture_hashes(rgb: Images) -> Hashes:
    """Return the hashes of one picture (h, w, 3) uint8 RGB: (crops,), or (0,) where it says nothing."""
    gray = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    if float(gray.std()) < PLAIN:
        return np.empty(0, np.uint64)
    return np.array([_hash(_centre(gray, crop)) for crop in CROPS], np.uint64)


def clip_hashes(rgb: Images) -> Hashes:
    """Return the hashes of a clip's frames (n, h, w, 3) uint8 RGB."""
    return stacked([picture_hashes(frame) for frame in rgb])


def found_again(first: Hashes, second: Hashes, distance: int) -> float:
    """Return the share of frames of the one that are found again in the other, whichever share is smaller.

    Whole pictures are compared with crops, in both directions.
    """
    if not (len(first) and len(second)):
        return 0.0
    nearest = np.minimum(_distances(first[:, :1], second), _distances(second[:, :1], first).T)
    close = nearest <= distance
    return float(min(close.any(axis=1).mean(), close.any(axis=0).mean()))


def seen_before(hashes: Hashes, earlier: Hashes) -> float:
    """Return the share of frames that show what one of the earlier frames shows."""
    if not (len(hashes) and len(earlier)):
        return 0.0
    return float((_distances(hashes[:, :1], earlier) <= SAME_PICTURE).any(axis=1).mean())


def hashes_of(content: bytes) -> Hashes:
    """Return the hashes whose ``tobytes`` is ``content``; raises ``ValueError`` where it is that of none."""
    return np.frombuffer(content, np.uint64).reshape(-1, len(CROPS))


def stacked(hashes: Sequence[Hashes]) -> Hashes:
    """Return the hashes of several pictures, without those that say nothing."""
    known = [found for found in hashes if len(found)]
    return np.stack(known) if known else np.empty((0, len(CROPS)), np.uint64)


def _centre(gray: GrayImages, share: float) -> GrayImages:
    height, width = (round(side * share) for side in gray.shape)
    top, left = (gray.shape[0] - height) // 2, (gray.shape[1] - width) // 2
    return gray[top : top + height, left : left + width]


def _hash(gray: GrayImages) -> int:
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(np.asarray(small, np.float32))[:LOW, :LOW].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _distances(whole: Hashes, crops: Hashes) -> NDArray[np.uint8]:
    """Return (n, m): in how many bits frame i of the one differs from the nearest crop of frame j of the other."""
    return np.asarray(np.bitwise_count(whole[:, None, :] ^ crops[None]).min(axis=2), np.uint8)
