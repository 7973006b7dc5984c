"""Frames of a rendered tour with their truth, few and coarse in time, for tests that need a real clip."""

import pickle
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from tests.shared import shared_folder

SETTINGS = TourSettings(rooms_min=3, rooms_max=3, outdoor_shots=1, title=False, shot_seconds=4.0)


@dataclass(frozen=True)
class TourClip:
    rgb: NDArray[np.uint8]
    truth: tuple[FrameTruth, ...]


class MakesClips(Protocol):
    """Gives ``count`` frames spread over an indoor shot of the tour of a seed."""

    def __call__(self, seed: int, shot: int, count: int) -> TourClip: ...


def clips_of_all(factory: pytest.TempPathFactory) -> MakesClips:
    """Several modules want the same clip, each in any process: it is rendered once for all processes of a run."""

    def made(seed: int, shot: int, count: int) -> TourClip:
        with shared_folder(factory, f"clip_{seed}_{shot}_{count}") as folder:
            path = folder / "clip.pickle"
            if not path.exists():
                path.write_bytes(pickle.dumps(_rendered(seed, shot, count)))
            clip: TourClip = pickle.loads(path.read_bytes())  # noqa: S301
            return clip

    return made


def _rendered(seed: int, shot: int, count: int) -> TourClip:
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
