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
TURN_MAX = np.radians(0.15)
MOVED_MIN = 0.05
"""Part of the width by which the picture's corners move in all: what moves less tells nothing."""

Similarity = NDArray[np.float64]


def is_still_picture(rgb: Images) -> bool:
    """Tell whether the frames of a clip, (n, h, w, 3) uint8 RGB, are cut out of one picture that moves as a whole."""
    gray = [cv2.cvtColor(cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for frame in rgb]
    moved = 0.0
    for before, after in pairwise(np.asarray(gray, np.uint8)):
        step = _shift_and_scale(before, after)
        if step is None:
            return False
        moved += step
    return moved >= MOVED_MIN * SIZE[0]


def _shift_and_scale(before: GrayImages, after: GrayImages) -> float | None:
    """Return by how much the corners moved, mean pixels; None where one shift and scale does not explain it."""
    found = tracked(before, after)
    if found is None:
        return None
    estimated, _ = cv2.estimateAffinePartial2D(*found, method=cv2.RANSAC, ransacReprojThreshold=RESIDUAL_MAX)
    matrix = np.asarray(estimated, np.float64)
    if matrix.shape != (2, 3) or abs(np.arctan2(matrix[1, 0], matrix[0, 0])) > TURN_MAX:
        return None
    residuals = np.linalg.norm(_carried(matrix, found[0]) - found[1], axis=1)
    if np.mean(residuals <= RESIDUAL_MAX) < SHARE_MIN:
        return None
    corners = np.array([(x, y) for x in (0, SIZE[0]) for y in (0, SIZE[1])], np.float64)
    return float(np.linalg.norm(_carried(matrix, corners) - corners, axis=1).mean())


def tracked(before: GrayImages, after: GrayImages) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return where features of one picture are in the next, (n, 2) each; None where there are too few."""
    features = cv2.goodFeaturesToTrack(before, FEATURES, 0.01, 6)
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
