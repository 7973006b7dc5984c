"""Finds dissolves: stretches in which every picture resembles the next, but the ends have nothing in common.

Half way two unrelated pictures cancel much of each other's detail, so the variance of the Laplacian dips (Alattar's
parabola). A camera that turns fast blurs too: its flow leads from one end to the other, or else is so long that it lost
its way. Mixing the ends explains what lies between no worse there than in a dissolve; the length of the flow tells.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.contract.arrays import GrayImages
from pipeline.stages.clips.correspondence import Flow, correspondence, flow
from pipeline.stages.clips.settings import ClipsSettings

# Ten pictures a second: few enough to be quick, and flow can still follow a pan from one to the next.
SAMPLES_PER_SECOND = 10
LENGTHS = (3, 4, 6, 8, 12, 16, 20, 30, 40)
NEARLY = 1.2


@dataclass(frozen=True)
class _Sample:
    """A frame with the flow from the sample before it and how well that one is found again in it.

    motion: median length of that flow, in picture widths.
    """

    frame: int
    picture: GrayImages
    sharpness: float
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

    def __init__(self, settings: ClipsSettings, fps: float) -> None:
        self._settings = settings
        self._every = max(1, round(fps / SAMPLES_PER_SECOND))
        longest = settings.dissolve_max_s * fps / self._every
        self._lengths = [length for length in LENGTHS if length <= max(LENGTHS[0], longest)]
        self._samples: deque[_Sample] = deque(maxlen=self._lengths[-1] + 1)
        self._found: list[_Dissolve] = []

    def add(self, frame: int, picture: GrayImages, sharpness: float) -> None:
        """Take in the next frame: its number, a small grey picture and the variance of its Laplacian."""
        if frame % self._every:
            return
        self._samples.append(self._linked(frame, picture, sharpness))
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

    def _linked(self, frame: int, picture: GrayImages, sharpness: float) -> _Sample:
        if not self._samples:
            return _Sample(frame, picture, sharpness, flow=None, likeness=1.0, motion=0.0)
        before = self._samples[-1].picture
        step = flow(before, picture)
        motion = float(np.median(np.linalg.norm(step, axis=2))) / picture.shape[1]
        return _Sample(frame, picture, sharpness, step, correspondence(before, picture, [step]), motion)

    def _test(self, samples: list[_Sample]) -> None:
        sharpness = np.array([sample.sharpness for sample in samples])
        without = np.linspace(sharpness[0], sharpness[-1], len(samples))
        dip = float(np.min(sharpness[1:-1] / np.maximum(without[1:-1], 1e-6)))
        if dip < self._settings.dissolve_dip and self._links_unrelated_scenes(samples):
            self._found.append(_Dissolve(samples[0].frame, samples[-1].frame, dip))

    def _links_unrelated_scenes(self, samples: list[_Sample]) -> bool:
        if any(sample.likeness < self._settings.dissolve_likeness_min for sample in samples[1:]):
            return False
        if any(sample.motion > self._settings.dissolve_motion_max for sample in samples[1:]):
            return False
        flows = [sample.flow for sample in samples[1:] if sample.flow is not None]
        return correspondence(samples[0].picture, samples[-1].picture, flows) < self._settings.correspondence_min
