"""Tells a still picture that is panned and zoomed over (a slide show) from a camera that moves through a room.

Whatever is cut out of a picture and enlarged is shifted and scaled as a whole. A camera that goes somewhere moves near
things further than far ones, and one that turns moves the corners further than the middle.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages, Images

SIZE = (320, 240)
FEATURES = 400
FEWEST_FEATURES = 30
RESIDUAL_MAX = 0.35
"""Pixels of 320 by which most features may differ from one shift and scale; tracking is good to a tenth."""

SHARE_MIN = 0.9
TURN_MAX = np.radians(1.0)
"""How far a still is turned from picture to picture."""

MOVED_MIN = 0.02
"""Part of the width by which the picture's corners move in all: what moves less tells nothing."""

ACROSS_MAX = 0.3
"""Pixels of 320 by which features may differ from one shift, scale and turn between pictures that lie far apart."""

FOUND_SHARE = 0.4
"""Share of corners that must be found again: where only a logo is, it is the logo that stays and not the camera."""

OVERLAP_MIN = 0.5
"""Share of a picture that later ones must still show to be compared with it."""

PARTS, PARTS_MIN = 4, 7
"""Parts of a side, and how many of their squares must hold corners: on one poster a moving camera has no parallax."""

Similarity = NDArray[np.float64]
UNMOVED: Similarity = np.eye(2, 3)


def gray_of(rgb: Images, size: tuple[int, int]) -> GrayImages:
    """Return pictures (n, h, w, 3) uint8 RGB in grey, (n, height, width) uint8; ``size`` is width and height."""
    small = [cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for frame in rgb]
    return np.asarray(small, np.uint8)


def moved_as_a_whole(gray: GrayImages) -> float | None:
    """Return how far the corners of a clip's pictures, (n, 240, 320) uint8, get from where they were, mean pixels.

    None where shifts, scales and turns do not explain all of them, in whatever light. From one picture to the next a
    room filmed by a slow camera moves as a whole, too; so all are held against the first, or, once less than half of
    that is left, against the first of those that show more of each other.
    """
    first, carried, moved, farthest = gray[0], UNMOVED, 0.0, 0.0
    for before, after in pairwise(gray):
        found = tracked(before, _as_bright(after, before))
        step = None if found is None else _similarity(*found, RESIDUAL_MAX)
        if step is None or abs(np.arctan2(step[1, 0], step[0, 0])) > TURN_MAX:
            return None
        if _overlap(_then(carried, step)) < OVERLAP_MIN:
            first, carried, moved = before, UNMOVED, moved + _corners_move(carried)
        carried = _then(carried, step)
        seen = cv2.warpAffine(after, carried, SIZE, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
        inside = cv2.warpAffine(np.full_like(after, 255), carried, SIZE, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST)
        exact = _stays(first, np.where(inside > 0, seen, first), inside > 0)
        if exact is None:
            return None
        carried = _then(exact, carried)
        farthest = max(farthest, moved + _corners_move(carried))
    return farthest


def _stays(first: GrayImages, seen: GrayImages, inside: NDArray[np.bool_]) -> Similarity | None:
    """Return what is left to do to bring a picture to what ``seen`` shows of it; None where no similarity does.

    inside: (240, 320), where ``seen`` shows it; elsewhere it is filled up, so that no edge misleads what is tracked.
    """
    some = np.asarray(cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=1), np.uint8)
    features = cv2.goodFeaturesToTrack(first, FEATURES, 0.01, 6, mask=some)
    found = tracked(first, _as_bright(seen, first, inside), some)
    if found is None or len(found[0]) < FOUND_SHARE * len(features) or _parts(found[0]) < PARTS_MIN * inside.mean():
        return None
    return _similarity(*found, ACROSS_MAX)


def _as_bright(picture: GrayImages, other: GrayImages, where: NDArray[np.bool_] | None = None) -> GrayImages:
    """Return a picture as bright as another, on the mean of some pixels."""
    chosen = np.ones(picture.shape, np.bool_) if where is None else where
    gain = max(1.0, float(other[chosen].mean())) / max(1.0, float(picture[chosen].mean()))
    return np.asarray(np.clip(picture * gain, 0, 255), np.uint8)


def _parts(features: NDArray[np.float32]) -> int:
    """Return in how many of ``PARTS`` x ``PARTS`` parts of the picture there are features (n, 2)."""
    columns, rows = (features * PARTS / SIZE).astype(np.int64).clip(0, PARTS - 1).T
    return len(np.unique(PARTS * rows + columns))


def _similarity(before: NDArray[np.float32], after: NDArray[np.float32], most: float) -> Similarity | None:
    """Return the shift, scale and turn (2, 3) that carry most features (n, 2); None where none does.

    most: pixels by which a feature may differ from it.
    """
    estimated, _ = cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC, ransacReprojThreshold=most)
    matrix = np.asarray(estimated, np.float64)
    if matrix.shape != (2, 3):
        return None
    residuals = np.linalg.norm(_carried(matrix, before) - after, axis=1)
    return matrix if np.mean(residuals <= most) >= SHARE_MIN else None


def _then(first: Similarity, second: Similarity) -> Similarity:
    return np.asarray(np.hstack([second[:, :2] @ first[:, :2], _carried(second, first[:, 2])[:, None]]))


def _corners() -> NDArray[np.float64]:
    return np.array([(x, y) for x in (0, SIZE[0]) for y in (0, SIZE[1])], np.float64)


def _corners_move(matrix: Similarity) -> float:
    return float(np.linalg.norm(_carried(matrix, _corners()) - _corners(), axis=1).mean())


def _overlap(matrix: Similarity) -> float:
    """Return the share of a picture that another shows to which ``matrix`` carries it; of its box, where it turns."""
    corners = _carried(matrix, _corners())
    low, high = corners.min(axis=0), corners.max(axis=0)
    inside = (np.minimum(high, SIZE) - np.maximum(low, 0)).clip(0)
    return float(np.prod(inside / (high - low)))


def tracked(
    before: GrayImages, after: GrayImages, where: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return where features of one picture are in the next, (n, 2) each; None where there are too few.

    where: 0 where none is looked for.
    """
    features = cv2.goodFeaturesToTrack(before, FEATURES, 0.01, 6, mask=where)
    if features is None or len(features) < FEWEST_FEATURES:
        return None
    start = np.asarray(features, np.float32)[:, 0]
    there, found = _flow_of(before, after, start)
    back, found_back = _flow_of(after, before, there)
    same = found & found_back & (np.linalg.norm(back - start, axis=1) < RESIDUAL_MAX)
    return (start[same], there[same]) if same.sum() >= FEWEST_FEATURES else None


def _flow_of(
    before: GrayImages, after: GrayImages, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    there, status, _ = cv2.calcOpticalFlowPyrLK(before, after, points[:, None], points[:, None].copy())
    return np.asarray(there, np.float32)[:, 0], np.asarray(status)[:, 0].astype(bool)


def _carried(matrix: Similarity, points: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)
