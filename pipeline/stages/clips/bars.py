"""Finds bars beside or above the film: black ones, and blurred copies of it that fill a picture of another shape.

Bars stay in their place through a shot while the film moves, have straight edges as long as the picture, and hold
nothing (black) or next to no detail (blurred), but for a logo or a caption that was written over them. Walls and
ceilings hold no detail either, but their edges move.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages
from pipeline.contract.records import WHOLE, Box

SAMPLES_PER_SECOND = 2
FEWEST_SAMPLES = 2
BLACK = 24.0
"""Brightest level, 98th percentile of a line, in a black bar; compressed black has up to 20."""

RISE = 6.0
"""Mean levels by which the film is brighter than a black bar in the four lines beside it, in half the pictures."""

LEAST_BAR = 0.02
LEAST_BLURRED_BAR = 0.05
WIDEST_BAR = 0.45
"""Shares of a side; black edges of a line or two are left, as are pictures of which next to nothing is film."""

CALM = 0.35
"""Most detail along the lines of a blurred bar, of that along the film's."""

PARTS, RICHEST = 12, 75
"""Parts of a line, and the percentile of them that counts for richer ones: those may hold a logo, or a word."""

SHARP = 3.0
"""How much stronger the edge between blurred bar and film is than what the bar holds."""

SYMMETRY = 0.02
"""By what share of a side blurred bars on both sides may differ."""

STILL = 0.5
"""Change of the film's lines from picture to picture, levels, below which it shows no film."""

LineValues = NDArray[np.float32]


class _Profile(NamedTuple):
    """Of each line across a side, (n,): 98th percentile, mean, detail along it, change from the line before.

    What is written over a few parts of a line has no say in its brightness and its detail.
    """

    bright: LineValues
    mean: LineValues
    detail: LineValues
    change: LineValues


@dataclass(frozen=True)
class _BarSample:
    frame: int
    rows: _Profile
    columns: _Profile


class BarSearch:
    """Looks for bars in pictures that are given one after another; remembers some numbers a line, twice a second."""

    def __init__(self, fps: float) -> None:
        self._every = max(1, round(fps / SAMPLES_PER_SECOND))
        self._samples: list[_BarSample] = []

    def add(self, frame: int, gray: GrayImages) -> None:
        """Take in the next picture, (h, w) uint8, about 240 rows."""
        if frame % self._every == 0:
            self._samples.append(_BarSample(frame, _profile(gray), _profile(gray.T)))

    def box(self, start_frame: int, end_frame: int) -> Box:
        """Return the part of the picture that holds the film in a shot; all of it where there are no bars."""
        shot = [sample for sample in self._samples if start_frame <= sample.frame < end_frame]
        if len(shot) < FEWEST_SAMPLES:
            return WHOLE
        top, bottom = _inner([sample.rows for sample in shot])
        left, right = _inner([sample.columns for sample in shot])
        return Box(left, top, right, bottom)


def _profile(gray: GrayImages) -> _Profile:
    levels = gray.astype(np.float32)
    change = np.abs(np.diff(levels, axis=0, prepend=levels[:1])).mean(axis=1)
    along = _of_most(np.abs(np.diff(levels, axis=1)))
    bright = np.percentile(
        [np.percentile(part, 98, axis=1) for part in _parts(levels)], RICHEST, axis=0, method="lower"
    )
    return _Profile(bright.astype(np.float32), levels.mean(axis=1), along, change)


def _of_most(values: LineValues) -> LineValues:
    """Return the mean (n,) of lines (n, m) of which the richest parts count as the rest."""
    parts = np.stack([part.mean(axis=1) for part in _parts(values)])
    return np.asarray(np.minimum(parts, np.percentile(parts, RICHEST, axis=0)).mean(axis=0), np.float32)


def _parts(lines: LineValues) -> list[LineValues]:
    return np.array_split(lines, PARTS, axis=1)


def _inner(profiles: list[_Profile]) -> tuple[float, float]:
    """Return where the film begins and ends along a side, shares of it."""
    stacked = _Profile(*(np.stack(parts) for parts in zip(*profiles, strict=True)))
    count = stacked.mean.shape[1]
    first, last = _black(stacked), _black(_Profile(*(part[:, ::-1] for part in stacked)))
    if not first and not last:
        first = last = _blurred(stacked)
    # One line more is left out: the edge lies somewhere within it.
    return (first + bool(first)) / count, 1 - (last + bool(last)) / count


def _black(lines: _Profile) -> int:
    """Return how many lines at the beginning of a side are a black bar."""
    count = lines.mean.shape[1]
    bright = lines.bright.max(axis=0) > BLACK
    width = int(np.argmax(bright)) if bright.any() else 0
    if not LEAST_BAR * count <= width <= WIDEST_BAR * count:
        return 0
    rise = lines.mean[:, width : width + 4].mean(axis=1) - lines.mean[:, :width].mean(axis=1)
    return width if np.median(rise) >= RISE else 0


def _blurred(lines: _Profile) -> int:
    """Return how many lines at each end of a side are a blurred copy of the film."""
    count = lines.mean.shape[1]
    change, detail = np.median(lines.change, axis=0), np.median(lines.detail, axis=0)
    reach = round(SYMMETRY * count)
    begins = np.arange(max(2, round(LEAST_BLURRED_BAR * count)), round(WIDEST_BAR * count))
    width = int(begins[np.argmax(change[begins])])
    mirrored = count - width
    other = mirrored - reach + int(np.argmax(change[mirrored - reach : mirrored + reach + 1]))
    calm = np.concatenate([detail[: width - 1], detail[other + 1 :]])
    steady = np.concatenate([change[1 : width - 1], change[other + 2 :]])
    is_calm = np.percentile(calm, 90) <= CALM * np.median(detail[width + 1 : other - 1])
    edges = min(change[width], change[other])
    if lines.mean[:, width:other].std(axis=0).mean() < STILL:  # a title card, on which nothing tells
        return 0
    return max(width, count - other) if is_calm and edges >= SHARP * np.percentile(steady, 90) else 0
