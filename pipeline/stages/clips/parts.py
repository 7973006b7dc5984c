"""Tells pictures of which a part, from side to side, stays while the rest moves: a photograph or a panel beside it.

In one film nothing that has edges keeps every level while the camera moves.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages
from pipeline.stages.clips.correspondence import flow
from pipeline.stages.clips.scores import MOVES

FLOW_SIZE = (160, 120)
STAYS = 6
"""Levels by which a pixel may change in all of a clip where nothing moves; compression changes it by 2 or 3."""

STAYING_SHARE = 0.97
STAYING_MIN = 0.3
"""Share of the pixels of a column that stay in place, and least share of a side that such columns take."""

EDGE = 12.0
EDGES_MIN = 0.01
"""Gradient of an edge, levels a pixel, and share of a staying part on edges: a bare wall stays as well."""

MARGIN = 3
"""Pixels on either side of the border of a staying part that count for neither side."""


def has_staying_part(gray: GrayImages) -> bool:
    """Tell whether a part of a clip's pictures, (n, 240, 320) uint8, from side to side, stays and the rest moves."""
    stays = np.ptp(gray.astype(np.int16), axis=0) <= STAYS
    if max(stays.mean(axis=0).max(), stays.mean(axis=1).max()) < STAYING_SHARE:
        return False
    edges = _gradient(gray[0]) > EDGE
    lengths = _flow_lengths(gray)
    return any(
        _stays_beside(stays[:, ::step], edges[:, ::step], lengths[:, ::step], gray.shape[2])
        or _stays_beside(stays.T[:, ::step], edges.T[:, ::step], lengths.T[:, ::step], gray.shape[2])
        for step in (1, -1)
    )


def _stays_beside(stays: NDArray[np.bool_], edges: NDArray[np.bool_], lengths: NDArray[np.float32], width: int) -> bool:
    """Tell whether the first columns stay, with edges among them, and those after them move."""
    kept = stays.mean(axis=0) >= STAYING_SHARE
    first_moving = int(np.argmin(kept)) if not kept.all() else 0
    if first_moving < STAYING_MIN * len(kept):
        return False
    return bool(
        edges[:, : first_moving - MARGIN].mean() >= EDGES_MIN
        and np.percentile(lengths[:, first_moving:], 75) >= MOVES * width
        and stays[:, first_moving + MARGIN :].mean() < 0.5
    )


def _flow_lengths(gray: GrayImages) -> NDArray[np.float32]:
    """Return how far the pixels of a clip move in a step, median, pixels of its size (h, w)."""
    small = [np.asarray(cv2.resize(picture, FLOW_SIZE, interpolation=cv2.INTER_AREA), np.uint8) for picture in gray]
    lengths = np.median([np.linalg.norm(flow(a, b), axis=2) for a, b in pairwise(small)], axis=0)
    scale = gray.shape[2] / FLOW_SIZE[0]
    return np.asarray(cv2.resize(scale * lengths.astype(np.float32), gray.shape[:0:-1]), np.float32)


def _gradient(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    across, down = (cv2.Sobel(picture, cv2.CV_32F, *order, scale=0.25) for order in ((1, 0), (0, 1)))
    return np.asarray(np.abs(across) + np.abs(down), np.float32)
