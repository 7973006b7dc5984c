"""Finds dissolves: stretches in which every picture resembles the next, but the ends have nothing in common.

Half way two unrelated pictures cancel much of each other's detail, so that its Laplacian's power dips (Alattar's
parabola), whether or not the richest places are counted: they are where a caption comes or goes. A camera that turns
fast blurs too: its flow leads from one end to the other, or else is so long that it lost its way. Mixing the ends
explains what lies between no worse there than in a dissolve; the length of the flow tells. The ends are compared where
the film is: bars that are an enlarged copy of it hold nothing that flow can follow, and lead it astray beside them. Of
a slow turn the ends have nothing in common either, as what the first one shows has left the picture: where less than
half of it is still in view, the last picture in which half of it is stands for the end.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import GrayImages
from pipeline.contract.records import WHOLE, Box
from pipeline.stages.clips.correspondence import Flow, correspondence, flow, in_view
from pipeline.stages.clips.settings import ClipsSettings

# Ten pictures a second: few enough to be quick, and flow can still follow a pan from one to the next.
SAMPLES_PER_SECOND = 10
LENGTHS = (3, 4, 6, 8, 12, 16, 20, 30, 40)
NEARLY = 1.2

BLOCKS = (16, 12)
"""Parts of the picture, across and down."""

RICHEST = 75
"""Percentile of the blocks' detail at which richer blocks are counted: letters outdo all that is filmed."""

LEAST_IN_VIEW = 0.5
"""Share of the first picture that must still be in view for the last one to be compared with it."""

Film = Callable[[int, int], Box]
"""Tells where between bars the film is in frames from a first one up to, not including, an end."""


@dataclass(frozen=True)
class _Sample:
    """A frame with the flow from the sample before it and how well that one is found again in it.

    detail: mean square of the Laplacian, with the richest blocks and with those held to the rest. motion: median length
    of that flow, in picture widths.
    """

    frame: int
    picture: GrayImages
    detail: tuple[float, float]
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

    def _linked(self, frame: int, picture: GrayImages, detail: tuple[float, float]) -> _Sample:
        if not self._samples:
            return _Sample(frame, picture, detail, flow=None, likeness=1.0, motion=0.0)
        before = self._samples[-1].picture
        step = flow(before, picture)
        motion = float(np.median(np.linalg.norm(step, axis=2))) / picture.shape[1]
        return _Sample(frame, picture, detail, step, correspondence(before, picture, [step]), motion)

    def _test(self, samples: list[_Sample]) -> None:
        detail = np.array([sample.detail for sample in samples])
        without = np.linspace(detail[0], detail[-1], len(samples))
        dip = float(np.min(detail[1:-1] / np.maximum(without[1:-1], 1e-6), axis=0).max())
        if dip < self._settings.dissolve_dip and self._links_unrelated_scenes(samples):
            self._found.append(_Dissolve(samples[0].frame, samples[-1].frame, dip))

    def _links_unrelated_scenes(self, samples: list[_Sample]) -> bool:
        if any(sample.likeness < self._settings.dissolve_likeness_min for sample in samples[1:]):
            return False
        if any(sample.motion > self._settings.dissolve_motion_max for sample in samples[1:]):
            return False
        box = self._film(samples[0].frame - self._around, samples[-1].frame + 1)
        pictures = [_part(sample.picture, box) for sample in samples]
        flows = [sample.flow for sample in samples[1:] if sample.flow is not None]
        if box != WHOLE:
            flows = [flow(before, after) for before, after in pairwise(pictures)]
        last = max(int(np.count_nonzero(in_view(flows) >= LEAST_IN_VIEW)), 1)
        return correspondence(pictures[0], pictures[last], flows[:last]) < self._settings.correspondence_min


def _detail(laplacian: NDArray[np.float32]) -> tuple[float, float]:
    blocks = cv2.resize(laplacian**2, BLOCKS, interpolation=cv2.INTER_AREA)
    return float(blocks.mean()), float(np.minimum(blocks, np.percentile(blocks, RICHEST)).mean())


def _part(picture: GrayImages, box: Box) -> GrayImages:
    """Return what lies in a box of a picture (h, w)."""
    height, width = picture.shape[:2]
    rows = slice(round(box.top * height), round(box.bottom * height))
    return np.ascontiguousarray(picture[rows, round(box.left * width) : round(box.right * width)])
