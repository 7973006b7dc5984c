"""Tells clips that nobody wants: slide shows, split screens, text over a third of the picture, a camera that stands.

Each is told by what stays in its place while the rest moves: all of the picture, a straight border between parts that
move apart, or letters.
"""

from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages, Images
from pipeline.stages.clips.correspondence import Flow, flow
from pipeline.stages.clips.parts import has_staying_part
from pipeline.stages.clips.scores import EDGE_SIZE, MOVES, drawn_share, staying_edges
from pipeline.stages.clips.settings import Unwanted
from pipeline.stages.clips.stills import FEATURES, FOUND_SHARE, MOVED_MIN, SIZE, gray_of, moved_as_a_whole, tracked

STILL_PIXELS = 0.6
"""Pixels of 320 below which a tracked corner has not moved: twice what tracking leaves in noise."""

STILL_SHARE = 0.75
"""Share of corners that have not moved; the rest may belong to people who walk through the picture."""

TREMBLES = 0.01 * SIZE[0]
"""Pixels by which the corners of a picture may move as a whole where the camera stands, and trembles."""

DRAWN = 0.45
"""Share of flat areas above which a picture is drawn, and a matter of ``indoor_clips``; title cards have 0.65, rooms up
to 0.22."""

FLOW_SIZE = (160, 120)
TEXTURED = 4.0
"""Least mean gradient, levels a pixel, of places whose flow is followed: on bare walls it is a guess."""

BAND = 0.12
"""Share of a side, beside a border, in which both parts are compared."""

APART_MIN = 0.006
APART_RATIO = 0.5
"""Picture widths, and share of the faster part's motion, by which the parts beside a border move apart in a step."""

PART_MOVES = 0.002
"""Picture widths by which the slower part moves in a step: a banner with letters lies still."""

OUTERMOST = 0.3
"""Share of a side from which a border counts: pictures are split in halves or thirds, banners lie further out."""

BORDER_SHARE = 0.7
BORDER_RISE = 2.0
"""Share of a border's length at which the gradient across it, in half the frames, is this many times its surroundings'.
"""

TEXT_MAX = 1 / 3
"""Share of the picture; measured: at most 0.02 in real clips, 0.2 for a line of a title, from 0.55 for five."""

LETTER_EDGE, LETTER_STAYS = 40.0, 0.75
"""Strength of an edge of letters, 8-bit levels, and share of frames that show it: scenes may be as bright."""

LETTERS_REACH = (41, 41)
LETTERS_DENSE = 0.02
"""Pixels of 320 about a place, and the share of them on strokes that stay, where it counts as written on."""

LETTERS_MIN = 12
LONGEST_STROKE = 0.25
"""Fewest strokes of a text, and the longest one, share of a side: borders and frames are longer."""

FEWEST_FOLLOWED = 50
"""Pixels of 160 x 120 that must be there to say how a part of the picture moves."""


def objection(rgb: Images, named: Collection[Unwanted]) -> tuple[Unwanted, str] | None:
    """Return the first of the named reasons for which nobody wants a clip, and a sentence; None for other clips.

    rgb: (n, h, w, 3) uint8, the clip's frames. Letters and borders come before a camera that stands: what is laid over
    most of a picture stands as well.
    """
    gray = gray_of(rgb, SIZE)
    whole = moved_as_a_whole(gray) if {"SlideShow", "Static"} & {*named} else None
    if "SlideShow" in named and whole is not None and whole >= MOVED_MIN * SIZE[0]:
        return "SlideShow", "a still picture that is panned and zoomed over"
    if "TextOverlay" in named and (share := text_share(rgb)) > TEXT_MAX:
        return "TextOverlay", f"letters stay over {share:.0%} of the picture, more than {TEXT_MAX:.0%}"
    if "SplitScreen" in named and is_split_screen(rgb):
        return "SplitScreen", "a straight border divides the picture into parts that move apart"
    if "SplitScreen" in named and has_staying_part(gray):
        return "SplitScreen", "a part of the picture, from side to side, stays while the rest moves"
    stands = whole is not None and whole <= TREMBLES
    if "Static" in named and (stands or is_static(rgb)) and drawn_share(gray) <= DRAWN:
        return "Static", "the camera does not move, so that nothing tells how far things are"
    return None


def is_static(rgb: Images) -> bool:
    """Tell whether the camera of a clip, (n, h, w, 3) uint8 RGB, does not move at all: no parallax can be had of it.

    People may walk through the picture, in light that does not change.
    """
    gray = gray_of(rgb, SIZE)
    corners = cv2.goodFeaturesToTrack(gray[0], FEATURES, 0.01, 6)
    for later in gray[1:]:
        found = tracked(gray[0], later)
        if found is None or len(found[0]) < FOUND_SHARE * len(corners):
            return False
        moved = np.linalg.norm(found[1] - found[0], axis=1)
        if np.mean(moved < STILL_PIXELS) < STILL_SHARE:
            return False
    return True


def is_split_screen(rgb: Images) -> bool:
    """Tell whether a straight border divides the frames of a clip, (n, h, w, 3) uint8 RGB, into parts that move apart.

    Where nothing moves, as on a framed title card, there is none. What is written and stays is not followed.
    """
    gray = gray_of(rgb, FLOW_SIZE)
    across, down = staying_edges(gray_of(rgb, EDGE_SIZE), LETTER_EDGE, LETTER_STAYS)
    stays = cv2.dilate((across | down).astype(np.uint8), np.ones((9, 9), np.uint8))
    film = cv2.resize(stays, FLOW_SIZE, interpolation=cv2.INTER_AREA) == 0
    steps = [flow(before, after) for before, after in pairwise(gray)]
    turned = [step.transpose(1, 0, 2) for step in steps]
    return _is_split(gray, steps, film) or _is_split(gray.transpose(0, 2, 1), turned, film.T)


def text_share(rgb: Images) -> float:
    """Return the share of a clip's pictures, (n, h, w, 3) uint8 RGB, that letters take which stay while the rest moves.

    0 where the rest does not move: then nothing tells letters from the scene.
    """
    across, down = staying_edges(gray_of(rgb, EDGE_SIZE), LETTER_EDGE, LETTER_STAYS)
    written = cv2.blur(_short_strokes(across | down), LETTERS_REACH) > LETTERS_DENSE
    gray = gray_of(rgb, FLOW_SIZE)
    beside = cv2.resize(written.astype(np.uint8), FLOW_SIZE) == 0
    if np.count_nonzero(beside) < FEWEST_FOLLOWED:
        return 0.0
    lengths = [np.linalg.norm(flow(before, after)[beside], axis=1) for before, after in pairwise(gray)]
    moves = float(np.median([np.percentile(length, 75) for length in lengths])) / FLOW_SIZE[0] >= MOVES
    return float(written.mean()) if moves else 0.0


def _short_strokes(edges: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return 1 at edges that may be of letters: no long lines; 0 everywhere where there are only few of them."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(edges.astype(np.uint8), connectivity=8)
    height, width = edges.shape
    longest = np.maximum(boxes[:, cv2.CC_STAT_WIDTH] / width, boxes[:, cv2.CC_STAT_HEIGHT] / height)
    short = longest < LONGEST_STROKE
    short[0] = False
    return np.asarray(short[labels] * (np.count_nonzero(short) >= LETTERS_MIN), np.float32)


def _borders(gray: GrayImages) -> list[int]:
    """Return columns of pictures (n, h, w) right of which another part begins, all through the clip."""
    change = np.median(np.abs(np.diff(gray.astype(np.float32), axis=2)), axis=0)
    width = change.shape[1]
    around = cv2.blur(change, (2 * width // 16 + 1, 1))
    share = np.mean((change > BORDER_RISE * around) & (change > TEXTURED), axis=0)
    inside = range(round(OUTERMOST * width), width - round(OUTERMOST * width))
    return [x for x in inside if share[x] >= BORDER_SHARE]


class _Parts(NamedTuple):
    """How the parts beside a border move, medians in picture widths: slower, faster, difference."""

    slower: float
    faster: float
    differ: float

    @property
    def are_apart(self) -> bool:
        return self.slower >= PART_MOVES and self.differ >= max(APART_MIN, APART_RATIO * self.faster)


def _parts(gray: GrayImages, steps: list[Flow], film: NDArray[np.bool_], sides: tuple[slice, slice]) -> _Parts:
    """Compare the columns on both sides of a border; zeros where too little has texture to be followed."""
    found = []
    for picture, step in zip(gray, steps, strict=False):
        rough = film & (_texture(picture) > TEXTURED)
        moved = [step[:, side][rough[:, side]] for side in sides]
        if min(map(len, moved)) >= FEWEST_FOLLOWED:
            left, right = (np.median(part, axis=0) for part in moved)
            slower, faster = sorted((float(np.linalg.norm(left)), float(np.linalg.norm(right))))
            found.append((slower, faster, float(np.linalg.norm(left - right))))
    if 2 * len(found) < len(steps):
        return _Parts(0.0, 0.0, 0.0)
    return _Parts(*(np.median(found, axis=0) / gray.shape[2]).tolist())


def _texture(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    levels = picture.astype(np.float32)
    across, down = (cv2.Sobel(levels, cv2.CV_32F, *order, scale=0.25) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.blur(np.abs(across) + np.abs(down), (5, 5)), np.float32)


def _is_split(gray: GrayImages, steps: list[Flow], film: NDArray[np.bool_]) -> bool:
    band = round(BAND * gray.shape[2])
    beside = [(slice(border - 2 - band, border - 2), slice(border + 4, border + 4 + band)) for border in _borders(gray)]
    return any(_parts(gray, steps, film, sides).are_apart for sides in beside)
