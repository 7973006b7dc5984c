"""Places that frames of two clips both show, found by what they look like."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Images
from pipeline.geometry.relocation import LookAlikes

FRAMES_A_CLIP = 5
"""Frames, spread over a clip, that are looked at."""

FEATURES = 1200
"""Of a frame, the strongest."""

RATIO = 0.8
"""Distance of the nearest descriptor over that of the next one (Lowe 2004)."""

FEWEST = 15
"""Matches of two frames, below which they do not look alike."""


@dataclass(frozen=True)
class ClipFeatures:
    """SIFT features of some frames of a clip.

    at: by row of the clip, (k, 2) float64, pixels of the 640x480 picture. descriptors: (k, 128) float32, of length 1.
    grey: (h, w) float32, the pictures at the size of depth.
    """

    at: dict[int, Float64s]
    descriptors: dict[int, NDArray[np.float32]]
    grey: dict[int, NDArray[np.float32]]


def spread_out(registered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return rows of frames (n,) that have a camera, spread over the clip."""
    placed = np.flatnonzero(registered)
    chosen = np.linspace(0, len(placed) - 1, min(FRAMES_A_CLIP, len(placed)))
    return np.unique(placed[chosen.astype(np.int64)])


def features_of(rows: NDArray[np.int64], rgb: Images, shape: tuple[int, ...]) -> ClipFeatures:
    """Return the features of pictures (k, 480, 640, 3), which are rows (k,) of a clip. shape: (h, w) of its depth."""
    found, sift = ClipFeatures({}, {}, {}), cv2.SIFT.create(FEATURES)
    height, width = shape
    for row, picture in zip(rows.tolist(), rgb, strict=True):
        whole = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        points, descriptors = sift.detectAndCompute(whole, None)
        small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
        found.grey[row] = np.asarray(small, np.float32)
        found.at[row] = np.array([point.pt for point in points], np.float64).reshape(-1, 2)
        found.descriptors[row] = _of_length_one(np.zeros((0, 128), np.float32) if descriptors is None else descriptors)
    return found


def _of_length_one(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return RootSIFT (Arandjelovic and Zisserman 2012): square roots of descriptors whose entries sum to 1."""
    return np.asarray(np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9)), np.float32)


def look_alikes(one: ClipFeatures, other: ClipFeatures) -> LookAlikes | None:
    """Return the places that frames of both clips show; None where no two frames look alike."""
    found = list(_matches(one, other))
    return LookAlikes(*(np.concatenate(part) for part in zip(*found, strict=True))) if found else None


def _matches(one: ClipFeatures, other: ClipFeatures) -> Iterator[LookAlikes]:
    for row, descriptors in one.descriptors.items():
        for other_row, others in other.descriptors.items():
            here, there = _mutual(descriptors, others)
            if len(here) >= FEWEST:
                rows, other_rows = np.full(len(here), row), np.full(len(here), other_row)
                yield LookAlikes(rows, one.at[row][here], other_rows, other.at[other_row][there])


def _mutual(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which descriptors (k, 128), (l, 128) are nearest to each other, and clearly so."""
    if min(len(one), len(other)) < FEWEST:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    closeness = one @ other.T
    nearest = closeness.argmax(axis=1)
    back = closeness.argmax(axis=0)
    first, second = -np.partition(-closeness, 1, axis=1)[:, :2].T
    # |a - b|^2 = 2 - 2 a.b
    is_clear = (2 - 2 * first) < RATIO**2 * (2 - 2 * second)
    here = np.flatnonzero(is_clear & (back[nearest] == np.arange(len(one))))
    return here, nearest[here]
