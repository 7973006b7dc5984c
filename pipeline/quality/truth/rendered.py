"""The truth of rendered tours, rendered again from their seed."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import WHOLE, Box
from pipeline.quality.truth.film import TrueShot
from pipeline.tours.timeline import TourShot
from pipeline.tours.tour import Tour
from pipeline.tours.truth import TrueClip, true_clip


@dataclass(frozen=True)
class TourFilm:
    """A tour as a film: its indoor shots are wanted; those of the garden and those that show no walk are not.

    Title cards do not count.
    """

    origin: str
    tour: Tour
    in_metres: bool = True

    @property
    def name(self) -> str:
        """The tour's source."""
        return self.origin

    @property
    def fps(self) -> float:
        """Frames a second."""
        return float(self.tour.fps)

    @property
    def shots(self) -> tuple[TrueShot, ...]:
        """Indoor and outdoor shots."""
        return tuple(
            TrueShot(f"shot {shot.shot_id}", shot.start_frame, shot.end_frame, self._is_wanted(shot))
            for shot in self.tour.shots
            if shot.kind != "title"
        )

    def _is_wanted(self, shot: TourShot) -> bool:
        return shot.kind == "indoor" and not self.tour.left_out(shot)

    @property
    def version(self) -> str:
        """Of the tour's settings."""
        return hashlib.sha256(self.tour.settings.model_dump_json().encode()).hexdigest()[:16]

    def known(self, frame_index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Everything is known of every frame."""
        return np.ones(len(frame_index), np.bool_)

    def clip(self, frame_index: NDArray[np.int64], box: Box = WHOLE) -> TrueClip:
        """Return the exact truth of frames (n,)."""
        return true_clip(self.tour, frame_index, box)
