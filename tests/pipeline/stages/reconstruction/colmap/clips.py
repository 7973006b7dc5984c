"""Frames of a rendered tour with their truth, few and coarse in time, for tests that need a real clip."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour

SETTINGS = TourSettings(rooms_min=3, rooms_max=3, outdoor_shots=1, title=False, shot_seconds=4.0)


@dataclass(frozen=True)
class TourClip:
    rgb: NDArray[np.uint8]
    truth: tuple[FrameTruth, ...]


def tour_clip(seed: int, shot: int, count: int) -> TourClip:
    """``count`` frames spread over an indoor shot."""
    tour = _tour(seed)
    indoor = [candidate for candidate in tour.shots if candidate.kind == "indoor"][shot]
    frames = np.linspace(indoor.start_frame, indoor.end_frame - 1, count).astype(int)
    return TourClip(
        np.stack([tour.picture(int(frame)) for frame in frames]), tuple(tour.truth(int(frame)) for frame in frames)
    )


@lru_cache(maxsize=1)
def _tour(seed: int) -> Tour:
    """The tour, whose house is painted once for all clips of it that follow each other."""
    return Tour.from_seed(seed, SETTINGS)
