"""Planes in a cloud of points whose rough direction is known."""

import numpy as np
from numpy.typing import NDArray

BINS_A_PLANE = 3


def plane_offsets(coordinates: NDArray[np.floating], width: float, share_min: float) -> list[float]:
    """Return where ``coordinates`` (m,), distances along a direction, pile up: an offset a plane, the largest first.

    width: thickness of a plane and least distance of two, unit of the coordinates. share_min: of the points, at least.
    """
    if not len(coordinates):
        return []
    lowest, thin = float(coordinates.min()), width / BINS_A_PLANE
    bins = np.floor((coordinates - lowest) / thin).astype(np.int64)
    counts = np.convolve(np.bincount(bins), np.ones(BINS_A_PLANE))[1:-1]
    offsets = []
    while counts.max() > share_min * len(coordinates):
        peak = int(counts.argmax())
        inside = np.abs(coordinates - (lowest + (peak + 0.5) * thin)) < width / 2
        offsets.append(float(np.median(coordinates[inside])))
        counts[max(peak - BINS_A_PLANE, 0) : peak + BINS_A_PLANE + 1] = 0
    return offsets


def points_of_one_plane(
    points: NDArray[np.float64], normal: NDArray[np.float64], thickness: float
) -> NDArray[np.float64]:
    """Return those of ``points`` (m, 3) within ``thickness`` of the plane that they themselves fit best.

    normal: (3,), its rough direction; a fit that leaves it by more than 25 degrees is not followed.
    """
    kept = points
    for _ in range(4):
        middle = kept.mean(axis=0)
        fitted = np.linalg.eigh(np.cov((kept - middle).T))[1][:, 0]
        closer = points[np.abs((points - middle) @ fitted) < thickness]
        if abs(fitted @ normal) < np.cos(np.radians(25)) or len(closer) < 3:
            break
        kept = closer
    return kept
