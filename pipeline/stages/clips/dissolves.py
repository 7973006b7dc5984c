"""Finds dissolves: stretches in which every picture resembles the next, but the ends have nothing in common.

Two signs tell a dissolve from a camera that moves. Every picture in it is a mixture of both ends, of which the second
takes an ever greater share: what mixing leaves unexplained is little. It is looked at in a few hundred parts of the
picture, in which what moves meanwhile stays about where it is. In a turn what is seen leaves the picture instead, and a
cut does not mix. And half way two unrelated pictures cancel much of each other's detail, so that the power of its
Laplacian dips (Alattar's parabola), but no farther than mixing lets it. The median over blocks tells: letters and logos
do not dip, and are in some.

Detail and ends are compared where the film is: bars that are an enlarged copy of it hold nothing that flow can follow,
and lead it astray beside them. Of a slow turn the ends have nothing in common either, as what the first one shows has
left the picture: where less than half of it is in view, the last picture in which half of it is stands for the end.
Nor is it a dissolve when a camera that moves adapts to the light, and what it shows brightens evenly.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, GrayImages
from pipeline.contract.records import WHOLE, Box
from pipeline.stages.clips.correspondence import Flow, correspondence, film_of, flow, in_view
from pipeline.stages.clips.settings import ClipsSettings

# Ten pictures a second: few enough to be quick, and flow can still follow a pan from one to the next.
SAMPLES_PER_SECOND = 10
LENGTHS = (3, 4, 6, 8, 12, 16, 20, 30, 40)
NEARLY = 1.2

BLOCKS = (16, 12)
"""Parts of the picture, across and down, whose detail is compared."""

PARTS = (20, 15)
"""Parts of the picture, across and down, whose levels are mixed."""

DETAILED, LEAST_DETAILED = 30.0, 0.1
"""Mean square of the Laplacian from which on a block has detail that can dip, and share of such blocks that tells."""

LEAST_LEFT = 0.5
"""Least share of the detail that mixing leaves, which must be there: 0.6 and more in dissolves between moving
shots, while past a wall without texture nearly all is gone."""

UNEVEN = 0.2
"""How far the share of the second picture may be from one that rises evenly: editors ease in and out, cuts jump."""

MOSTLY = 0.5
"""Share of the change from end to end, squared, that is one of all of the picture, from which on patterns must mix: of
three such dissolves they leave 0.02 and less, of a turn into the light 0.12."""

FULL_LENGTH = 8
"""Steps from sample to sample from which on mixing may leave all that it may leave: motion leaves less in fewer."""

LEAST_IN_VIEW = 0.5
"""Share of the first picture that must still be in view for the last one to be compared with it."""

Film = Callable[[int, int], Box]
"""Tells where between bars the film is in frames from a first one up to, not including, an end."""


@dataclass(frozen=True)
class _Sample:
    """A frame with the flow from the sample before it and how well that one is found again in it.

    detail: mean square of the Laplacian in each block (b,). levels: of each part (p,). motion: median length of that
    flow, in picture widths.
    """

    frame: int
    picture: GrayImages
    detail: NDArray[np.float32]
    levels: NDArray[np.float32]
    flow: Flow | None
    likeness: float
    motion: float


class _Dissolve(NamedTuple):
    start: int
    end: int
    dip: float

    def overlaps(self, other: "_Dissolve") -> bool:
        """Tell whether both share a frame."""
        return self.start < other.end and other.start < self.end


class DissolveSearch:
    """Looks for dissolves in frames that are given one after another; remembers the longest dissolve's worth."""

    def __init__(self, settings: ClipsSettings, fps: float, film: Film) -> None:
        self._settings = settings
        self._film = film
        self._around = round(settings.dissolve_max_s * fps)
        self._every = max(1, round(fps / SAMPLES_PER_SECOND))
        longest = settings.dissolve_max_s * fps / self._every
        self._lengths = [length for length in LENGTHS if length <= max(LENGTHS[0], longest)]
        self._samples: deque[_Sample] = deque(maxlen=self._lengths[-1] + 1)
        self._found: list[_Dissolve] = []

    def add(self, frame: int, picture: GrayImages, laplacian: NDArray[np.float32]) -> None:
        """Take in the next frame: its number, a small grey picture, and the Laplacian (h, w) of a larger one."""
        if frame % self._every:
            return
        self._samples.append(self._linked(frame, picture, _detail(laplacian)))
        for length in self._lengths:
            if length < len(self._samples):
                self._test(list(self._samples)[-length - 1 :])

    def ranges(self) -> list[tuple[int, int]]:
        """Return first frame and end, exclusive, of every dissolve found so far.

        Of overlapping finds it is the shortest of those that dip nearly as deep as the deepest.
        """
        ranges: list[tuple[int, int]] = []
        left = sorted(self._found, key=lambda found: found.dip)
        while left:
            deep = [found for found in left if found.overlaps(left[0]) and found.dip <= NEARLY * left[0].dip]
            tightest = min(deep, key=lambda found: (found.end - found.start, found.dip))
            left = [found for found in left if not (found.overlaps(tightest) or found.overlaps(left[0]))]
            ranges.append((tightest.start + 1, tightest.end))
        return sorted(ranges)

    def _linked(self, frame: int, picture: GrayImages, detail: NDArray[np.float32]) -> _Sample:
        levels = cv2.resize(picture, PARTS, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        if not self._samples:
            return _Sample(frame, picture, detail, levels, flow=None, likeness=1.0, motion=0.0)
        before = self._samples[-1].picture
        step = flow(before, picture)
        motion = float(np.median(np.linalg.norm(step, axis=2))) / picture.shape[1]
        return _Sample(frame, picture, detail, levels, step, correspondence(before, picture, [step]), motion)

    def _test(self, samples: list[_Sample]) -> None:
        if not self._is_steady(samples) or self._mixed([sample.levels for sample in samples]) is None:
            return
        box = self._film(samples[0].frame - self._around, samples[-1].frame + 1)
        share = self._mixed([sample.levels[_inside(box, PARTS)] for sample in samples])
        if share is None:
            return
        dip, least = _dip(np.stack([sample.detail[_inside(box, BLOCKS)] for sample in samples]), share)
        is_deep = dip < self._settings.dissolve_dip and least > LEAST_LEFT
        if is_deep and self._links_unrelated_scenes(samples, box):
            self._found.append(_Dissolve(samples[0].frame, samples[-1].frame, dip))

    def _is_steady(self, samples: list[_Sample]) -> bool:
        likeness, motion = self._settings.dissolve_likeness_min, self._settings.dissolve_motion_max
        return all(sample.likeness >= likeness and sample.motion <= motion for sample in samples[1:])

    def _mixed(self, pictures: Sequence[NDArray[np.float32]]) -> Float64s | None:
        """Return the share (n - 2,) of the last of n pictures in those between; None where they are no mixtures.

        pictures: levels (p,) of the parts of each.
        """
        levels = np.stack(pictures).astype(np.float64)
        change, since = levels[-1] - levels[0], levels[1:-1] - levels[0]
        most = max(float(change @ change), 1e-6)
        share = since @ change / most
        left = ((since - share[:, None] * change) ** 2).sum(axis=1) / most
        uneven = np.abs(share - np.linspace(0, 1, len(levels))[1:-1])
        allowed = self._settings.dissolve_left_max * min(1.0, (len(levels) - 1) / FULL_LENGTH)
        if not (left.mean() < allowed and uneven.max() < UNEVEN):
            return None
        brightens = change.mean() ** 2 * len(change) > MOSTLY * most
        return None if brightens and pattern_left(levels) > self._settings.dissolve_left_max else share

    def _links_unrelated_scenes(self, samples: list[_Sample], box: Box) -> bool:
        pictures = [film_of(sample.picture, box) for sample in samples]
        flows = [sample.flow for sample in samples[1:] if sample.flow is not None]
        if box != WHOLE:
            flows = [flow(before, after) for before, after in pairwise(pictures)]
        last = max(int(np.count_nonzero(in_view(flows) >= LEAST_IN_VIEW)), 1)
        return correspondence(pictures[0], pictures[last], flows[:last]) < self._settings.correspondence_min


def pattern_left(levels: Float64s) -> float:
    """Return the share of the change from end to end, squared, that mixtures leave of patterns, however bright.

    levels: (n, p). Where a camera adapts to the light, a picture brightens evenly, as if mixed with a bright one; its
    pattern, without mean and contrast, is no mixture of those of the ends when the camera moves.
    """
    pattern = levels - levels.mean(axis=1, keepdims=True)
    pattern /= np.maximum(np.linalg.norm(pattern, axis=1, keepdims=True), 1e-6)
    ends, _ = np.linalg.qr(pattern[[0, -1]].T)
    left = pattern[1:-1] - pattern[1:-1] @ ends @ ends.T
    return float((left**2).sum(axis=1).mean() / max(float(((pattern[-1] - pattern[0]) ** 2).sum()), 1e-9))


def _detail(laplacian: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(laplacian**2, BLOCKS, interpolation=cv2.INTER_AREA), np.float32).ravel()


def _inside(box: Box, parts: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which of so many parts across and down, (p,) row by row, have their middle in a box of the picture."""
    across, down = ((np.arange(count) + 0.5) / count for count in parts)
    columns, rows = (across > box.left) & (across < box.right), (down > box.top) & (down < box.bottom)
    return np.outer(rows, columns).ravel()


def _dip(detail: NDArray[np.float32], share: Float64s) -> tuple[float, float]:
    """Return how far detail (n, b) of n pictures falls, medians over blocks.

    The first number is the least share that is left of what a straight line from end to end lets expect, the second
    that of what mixing leaves where the ends have nothing in common; share: of the second one in the pictures between.
    """
    expected = np.linspace(detail[0], detail[-1], len(detail))[1:-1]
    telling = expected.min(axis=0) >= DETAILED
    if telling.mean() < LEAST_DETAILED:
        return 1.0, 1.0
    mixed = np.square(1 - share)[:, None] * detail[0] + np.square(share)[:, None] * detail[-1]
    models = expected[:, telling], np.maximum(mixed[:, telling], 1e-6)
    dip, least = (float(np.median(detail[1:-1, telling] / model, axis=1).min()) for model in models)
    return dip, least
