"""Scores of a clip: motion, shake, brightness, drawn areas, overlaid text, split screens."""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.records import ClipScores
from pipeline.stages.clips.correspondence import flow

SIZE = (160, 120)
EDGE_SIZE = (320, 240)
EDGE = 60.0
"""Strength of an edge of letters or a frame line, 8-bit levels of a 3 x 3 Sobel over 4; furniture seldom has more."""

STAYS = 0.95
"""Share of a clip's frames in which what is laid over the picture stays in its place."""

DARK = 16
BRIGHT = 250
FLAT = 0.5
MOVES = 0.004
"""Motion in picture widths a frame under which the scene itself stays in place, so that nothing tells overlays."""


def clip_scores(rgb: Images) -> ClipScores:
    """Score the frames of a clip.

    Args:
        rgb: (n, h, w, 3) uint8 RGB, n >= 2, in order.
    """
    gray = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in rgb])
    small = [np.asarray(cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA), np.uint8) for frame in gray]
    steps = np.stack([_step(before, after) for before, after in pairwise(small)]) / SIZE[0]
    motion = float(np.median(np.linalg.norm(steps, axis=1)))
    across, down = staying_edges(gray)
    moves = motion >= MOVES
    return ClipScores(
        motion=motion,
        shake=_shake(steps),
        brightness=float(gray.mean()) / 255,
        clipped=float(((gray <= DARK) | (gray >= BRIGHT)).mean()),
        drawn=drawn_share(gray),
        overlay=_overlaid(across, down) if moves else None,
        split=_split(across, down) if moves else None,
    )


def drawn_share(gray: NDArray[np.uint8]) -> float:
    """Return the median share of flat areas in the frames of a clip (n, h, w): drawn, as a title card."""
    return float(np.median([_flat_share(cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA)) for frame in gray]))


def _step(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return by how much most of the picture moved, pixels right and down."""
    return np.asarray(np.median(flow(before, after).reshape(-1, 2), axis=0), np.float64)


def _shake(steps: NDArray[np.float64]) -> float:
    """Return the mean change of the motion from step to step, in picture widths: a steady walk has little."""
    return float(np.linalg.norm(np.diff(steps, axis=0), axis=1).mean()) if len(steps) > 1 else 0.0


def _flat_share(gray: NDArray[Any]) -> float:
    """Return the share of pixels about which the picture is a plane."""
    levels = gray.astype(np.float32)
    bumps = cv2.absdiff(levels, cv2.blur(levels, (7, 7)))
    return float((cv2.blur(bumps, (7, 7)) < FLAT).mean())


def staying_edges(
    gray: NDArray[np.uint8], least: float = EDGE, stays: float = STAYS
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where edges across and down the picture stay in their place through a clip (n, h, w), (240, 320) each.

    least: strength of an edge, levels. stays: share of the frames.
    """
    strong = np.zeros((2, EDGE_SIZE[1], EDGE_SIZE[0]), np.int64)
    for frame in gray:
        small = cv2.resize(frame, EDGE_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        for place, (dx, dy) in enumerate(((1, 0), (0, 1))):
            strong[place] += np.abs(cv2.Sobel(small, cv2.CV_32F, dx, dy, scale=0.25)) > least
    return strong[0] >= stays * len(gray), strong[1] >= stays * len(gray)


def _overlaid(across: NDArray[np.bool_], down: NDArray[np.bool_]) -> float:
    """Return the share of the picture about strong edges that stay while the scene moves: letters, logos, frames."""
    stays = (across | down).astype(np.uint8)
    return float(cv2.dilate(stays, np.ones((7, 7), np.uint8)).mean())


def _split(across: NDArray[np.bool_], down: NDArray[np.bool_]) -> float:
    """Return how much of the height or width the longest straight line takes that stays and is no border."""
    lines = []
    for edges in (across, down.T):
        width = edges.shape[1]
        thick = edges[:, :-1] | edges[:, 1:]
        lines.append(thick.mean(axis=0)[width // 5 : width - width // 5].max(initial=0.0))
    return float(max(lines))
