"""What every cue of a clip's size says alone, and which of them cannot both be right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.scale import ScaleCue
from pipeline.stages.scene import sizes
from pipeline.stages.scene.evidence import ScaleEvidence
from pipeline.stages.scene.fittings import is_doorway

MOST_APART = 3.0
"""Deviations by which two cues may differ before the clip says that they disagree."""


@dataclass(frozen=True)
class CueReading:
    """What one cue alone says of a clip's scale: natural logarithm of metres a unit, and its standard deviation."""

    cue: ScaleCue
    log_scale: float
    sigma: float

    def agrees(self, log_scale: float) -> bool:
        """Tell whether a scale is within ``MOST_APART`` deviations of what this cue says."""
        return abs(log_scale - self.log_scale) <= MOST_APART * self.sigma


@dataclass(frozen=True)
class Disagreement:
    """Two cues that are more than ``MOST_APART`` deviations apart; ``larger`` gives the larger size."""

    larger: CueReading
    smaller: CueReading

    @property
    def apart(self) -> float:
        """How far they are apart, natural logarithm."""
        return self.larger.log_scale - self.smaller.log_scale

    @property
    def deviations(self) -> float:
        """The same in deviations of their difference."""
        return self.apart / float(np.hypot(self.larger.sigma, self.smaller.sigma))

    def sentence(self) -> str:
        """Say which disagree, and by how much."""
        larger, smaller = (one.cue.names().replace("_", " ") for one in (self.larger, self.smaller))
        times = f"{np.exp(self.apart):.2f} times as large as by {smaller}"
        return f"by {larger} all is {times}, {self.deviations:.1f} deviations apart"


def cue_readings(
    clip: ScaleEvidence, room: tuple[float | None, float | None], video: Float64s, floor: float | None
) -> tuple[CueReading, ...]:
    """Return what camera height, ceiling, openings, stairs and metric depth say alone, each where there is one.

    room: how far the floor lies below the camera and the ceiling above it, unit of the clip; None where it is not seen,
    of the floor also where nobody holds the camera. video: (b, d, k, h), what prior and other clips say of the video.
    floor: how far the level below the camera that is the floor is, whoever holds it; openings are measured from it.
    """
    drop, rise = room
    found: list[CueReading] = []
    if drop is not None:
        height, sigma = _known(sizes.CAMERA, video.sum(axis=(0, 1, 3)), sizes.HELD_SPREAD, sizes.CLIP_SPREAD)
        found.append(CueReading(ScaleCue.CAMERA_HEIGHT, height - float(np.log(drop)), sigma))
    if drop is not None and rise is not None:
        height, sigma = _known(sizes.CEILING, video.sum(axis=(0, 1, 2)), sizes.MODERN_SPREAD, sizes.ROOM_SPREAD)
        found.append(CueReading(ScaleCue.CEILING, height - float(np.log(drop + rise)), sigma))
    if floor is not None:
        found += _openings(clip, floor)
    if clip.riser is not None:
        found.append(CueReading(ScaleCue.STAIRS, float(sizes.RISER - np.log(clip.riser)), sizes.RISER_SPREAD))
    if clip.metric is not None:
        found.append(CueReading(ScaleCue.METRIC_DEPTH, clip.metric.log_scale, clip.metric.sigma))
    return tuple(found)


def _openings(clip: ScaleEvidence, floor: float) -> Iterator[CueReading]:
    """Yield what the median doorway and the median window say."""
    doorways = [one for one in clip.openings if is_doorway(one, floor)]
    windows = [one for one in clip.openings if one.sill]
    for cue, openings, (usual, sigma) in (
        (ScaleCue.DOORWAY, doorways, (sizes.DOOR, float(np.hypot(sizes.DOOR_SPREAD, sizes.DOOR_OWN)))),
        (ScaleCue.WINDOW, windows, (sizes.WINDOW, sizes.WINDOW_WIDEST)),
    ):
        if openings:
            height = float(np.median([one.head for one in openings])) + floor
            yield CueReading(cue, float(usual - np.log(max(height, 1e-9))), sigma)


def _known(lattice: Float64s, weights: Float64s, widest: float, of_clip: float) -> tuple[float, float]:
    """Return median and standard deviation of a height by its probabilities on a lattice.

    widest: the spread of what is usual. A cue is measured by that: how often it is something unusual is what the
    mixture of the estimate knows, and would let nothing disagree here. of_clip: spread of a clip about its video.
    """
    reached = np.cumsum(weights) / weights.sum()
    low, middle, high = np.interp([0.1585, 0.5, 0.8415], reached, lattice)
    return float(middle), float(np.hypot(min((high - low) / 2, widest), of_clip))


def disagreement(readings: Sequence[CueReading]) -> Disagreement | None:
    """Return the two cues that disagree most; None where all are within ``MOST_APART`` deviations."""
    pairs = [
        Disagreement(*sorted(pair, key=lambda one: one.log_scale, reverse=True)) for pair in combinations(readings, 2)
    ]
    worst = max(pairs, key=lambda pair: pair.deviations, default=None)
    return worst if worst is not None and worst.deviations > MOST_APART else None
