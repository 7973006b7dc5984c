"""Tells pictures that are put together: the same film twice, a part that stays while the rest moves, a picture in it.

What is put together has borders that are straight, stay in their place and enclose it; in one film no border does so
while the camera moves.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages, Images
from pipeline.stages.clips.correspondence import flow
from pipeline.stages.clips.scores import MOVES

SIZE = (320, 240)
FLOW_SIZE = (160, 120)
ALIKE = 0.95
"""Correlation of both halves of a picture from which they show one film; compression leaves 0.98 and more."""

STAYS = 6
"""Levels by which a pixel may change in all of a clip where nothing moves; compression changes it by 2 or 3."""

STAYING_SHARE = 0.97
STAYING_MIN = 0.3
"""Share of the pixels of a part that stay in place, and least share of a side that the part takes."""

EDGE = 12.0
EDGES_MIN = 0.01
"""Gradient of an edge, levels a pixel, and share of a staying part on edges: a bare wall stays as well."""

MARGIN = 3
"""Pixels on either side of the border of a staying part that count for neither side."""

LINE_MIN, LINE_RISE = 4.0, 2.0
"""Levels, and times its surroundings', of the gradient across a line that stays, in half of the frames."""

LINE_SHARE = 0.7
"""Share of the side of an inset at which it is a line that stays."""

INSET_MIN = 0.35
INSET_MOST = 0.9
"""Least and greatest share of both sides that an inset takes."""

BEYOND = 0.2
"""Part of a side over which it is looked whether the line goes on, as that of a banner or of a door does."""

LINES_MOST = 12


def is_twice_the_same(rgb: Images) -> bool:
    """Tell whether both halves of a clip's pictures, (n, h, w, 3) uint8 RGB, show the same all through."""
    gray = gray_of(rgb, SIZE)
    return _halves_alike(gray) or _halves_alike(gray.transpose(0, 2, 1))


def _halves_alike(gray: GrayImages) -> bool:
    half = gray.shape[2] // 2
    for picture in gray.astype(np.float32):
        first, second = (part[:, half // 8 : -half // 8].ravel() for part in (picture[:, :half], picture[:, -half:]))
        if min(first.std(), second.std()) < STAYS or np.corrcoef(first, second)[0, 1] < ALIKE:
            return False
    return True


def has_staying_part(rgb: Images) -> bool:
    """Tell whether a part of a clip's pictures, (n, h, w, 3) uint8 RGB, stays and the rest moves."""
    gray = gray_of(rgb, SIZE)
    stays = np.ptp(gray.astype(np.int16), axis=0) <= STAYS
    edges = _gradient(gray[0]) > EDGE
    lengths = _flow_lengths(gray)
    return any(
        _stays_beside(stays[:, ::step], edges[:, ::step], lengths[:, ::step])
        or _stays_beside(stays.T[:, ::step], edges.T[:, ::step], lengths.T[:, ::step])
        for step in (1, -1)
    )


def _stays_beside(stays: NDArray[np.bool_], edges: NDArray[np.bool_], lengths: NDArray[np.float32]) -> bool:
    """Tell whether the first columns stay, with edges among them, and those after them move."""
    kept = stays.mean(axis=0) >= STAYING_SHARE
    first_moving = int(np.argmin(kept)) if not kept.all() else 0
    if first_moving < STAYING_MIN * len(kept):
        return False
    return bool(
        edges[:, : first_moving - MARGIN].mean() >= EDGES_MIN
        and np.percentile(lengths[:, first_moving:], 75) >= MOVES * SIZE[0]
        and stays[:, first_moving + MARGIN :].mean() < 0.5
    )


def _flow_lengths(gray: GrayImages) -> NDArray[np.float32]:
    """Return how far the pixels of a clip move in a step, median, pixels of its size (h, w)."""
    small = [np.asarray(cv2.resize(picture, FLOW_SIZE, interpolation=cv2.INTER_AREA), np.uint8) for picture in gray]
    lengths = np.median([np.linalg.norm(flow(a, b), axis=2) for a, b in pairwise(small)], axis=0)
    scale = gray.shape[2] / FLOW_SIZE[0]
    return np.asarray(cv2.resize(scale * lengths.astype(np.float32), gray.shape[:0:-1]), np.float32)


def has_inset(rgb: Images) -> bool:
    """Tell whether a clip's pictures, (n, h, w, 3) uint8 RGB, hold a rectangle whose sides stay while all moves."""
    gray = gray_of(rgb, SIZE)
    if np.median(_flow_lengths(gray)) < MOVES * SIZE[0]:
        return False
    upright, level = (_thick(lines) for lines in (staying_lines(gray), staying_lines(gray.transpose(0, 2, 1))))
    columns, rows = _long_lines(upright), _long_lines(level)
    pairs = [list(_far_apart(some, size)) for some, size in ((columns, SIZE[0]), (rows, SIZE[1]))]
    return any(_is_inset(upright, level.T, across, down) for across in pairs[0] for down in pairs[1])


def staying_lines(gray: GrayImages) -> NDArray[np.bool_]:
    """Return right of which pixels of pictures (n, h, w) another part begins, all through the clip, (h, w - 1)."""
    change = np.median(np.abs(np.diff(gray.astype(np.float32), axis=2)), axis=0)
    around = cv2.blur(change, (2 * change.shape[1] // 16 + 1, 1))
    return np.asarray((change > LINE_RISE * around) & (change > LINE_MIN))


def _thick(lines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(lines.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0)


def _long_lines(lines: NDArray[np.bool_]) -> list[int]:
    """Return the columns (at most ``LINES_MOST``, in order) that are lines at as much of their length as an inset's."""
    share = lines.mean(axis=0)
    longest = np.argsort(-share, kind="stable")[:LINES_MOST]
    return sorted(int(x) for x in longest if share[x] >= INSET_MIN * LINE_SHARE)


def _far_apart(lines: list[int], size: int) -> Iterator[tuple[int, int]]:
    """Yield pairs of lines, or of a line and a border of the picture, between which an inset has room."""
    for first, second in combinations([0, *lines, size], 2):
        if INSET_MIN * size <= second - first <= INSET_MOST * size:
            yield first, second


def _is_inset(
    upright: NDArray[np.bool_], level: NDArray[np.bool_], across: tuple[int, int], down: tuple[int, int]
) -> bool:
    """Tell whether the sides of a rectangle that are no borders of the picture are lines; at least two end with it."""
    sides = [(upright[:, x], *down) for x in across if 0 < x < SIZE[0]]
    sides += [(level[y], *across) for y in down if 0 < y < SIZE[1]]
    if any(line[start:end].mean() < LINE_SHARE for line, start, end in sides):
        return False
    return sum(not _goes_on(*side) for side in sides) >= 2


def _goes_on(line: NDArray[np.bool_], start: int, end: int) -> bool:
    """Tell whether a line (n,) goes on before or after two places."""
    further = round(BEYOND * (end - start))
    beyond = line[max(0, start - further) : max(0, start - 2)], line[end + 2 : end + further]
    return any(len(part) > 2 and part.mean() >= 0.5 for part in beyond)


def gray_of(rgb: Images, size: tuple[int, int]) -> GrayImages:
    """Return pictures (n, h, w, 3) uint8 RGB in grey, (n, height, width) uint8; ``size`` is width and height."""
    small = [cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for frame in rgb]
    return np.asarray(small, np.uint8)


def _gradient(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    across, down = (cv2.Sobel(picture, cv2.CV_32F, *order, scale=0.25) for order in ((1, 0), (0, 1)))
    return np.asarray(np.abs(across) + np.abs(down), np.float32)
