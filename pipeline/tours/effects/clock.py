"""When frames stand on the screen: evenly, or as a phone writes them, some late and some left out."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.effects.draws import generator

JITTER = 0.2
"""How far a frame stands from its place, share of the time between two."""
LATE = 0.08
"""Share of frames that stay for the time of two."""
TICKS = 90_000
"""Ticks of the container's clock a second."""


@dataclass(frozen=True)
class FrameClock:
    """fps: frames a second; where the rate is variable, of the time between most."""

    seed: int
    fps: int
    frame_count: int
    variable: bool = False

    def seconds(self, frame: int) -> float:
        """Return when a frame appears; of the frame after the last one, when the film ends."""
        return float(self._times[frame]) if self.variable else frame / self.fps

    def span(self, first: int, frame: int) -> float:
        """Return the seconds from one frame to another."""
        return self.seconds(frame) - self.seconds(first) if self.variable else (frame - first) / self.fps

    def tick(self, frame: int) -> int:
        """Return when a frame appears, in ticks."""
        return round(self.seconds(frame) * TICKS)

    @functools.cached_property
    def _times(self) -> NDArray[np.float64]:
        draw = generator(self.seed, "frame times")
        spans = 1.0 + (draw.random(self.frame_count) < LATE)
        jitter = draw.uniform(-JITTER, JITTER, self.frame_count + 1)
        jitter[0] = 0
        times = np.concatenate([[0.0], np.cumsum(spans)]) + jitter
        return np.asarray(np.round(times / self.fps * TICKS) / TICKS)
