"""The records that scoring a tour yields; kept beside the video as ``quality.json``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import IDS, OverlapCounts

RIGHT_DEGREES, RIGHT_DEPTH = 5.0, 0.1
"""A clip is right up to so many degrees (rotation: nine pairs in ten; direction: half of them) and this AbsRel."""


class CutCounts(BaseModel):
    """Shot changes of one tour: how many were found, exist, and are both."""

    model_config = ConfigDict(frozen=True)

    found: int
    true: int
    matched: int


class ClipErrors(BaseModel):
    """Errors of one reconstructed clip.

    Pose errors in degrees over all pairs of frames; depth after one scale per clip; up_degrees and floor_m: median over
    frames of the angle between estimated and true up and of the floor's height error at true scale; scale_error:
    ``|estimated / true - 1|`` of the metric scene. rotation_most: what nine pairs in ten stay below; places: shots that
    the frames come from; probability_right: as the backend gave it, None where it gave none. Scores of earlier releases
    know neither of these.
    """

    model_config = ConfigDict(frozen=True)

    video_id: str
    clip_id: int
    frames: int
    registered: int
    focal_error: float
    rotation_median: float
    direction_median: float
    rotation_auc5: float
    auc5: float
    auc10: float
    auc20: float
    depth_abs_rel: float
    depth_delta: float
    depth_given: float
    up_degrees: float
    floor_m: float
    scale_error: float
    rotation_most: float | None = None
    places: int = 1
    probability_right: float | None = None

    @property
    def right(self) -> bool | None:
        """Whether cameras and depth are right; None where that was not measured."""
        if self.rotation_most is None:
            return None
        poses = self.rotation_most <= RIGHT_DEGREES and self.direction_median <= RIGHT_DEGREES
        return self.places == 1 and poses and not self.depth_abs_rel > RIGHT_DEPTH


class Overlap(BaseModel):
    """``OverlapCounts`` as it is stored: lists by class id; the last is left out where nothing has no name."""

    model_config = ConfigDict(frozen=True)

    matched: list[int] = Field(max_length=IDS)
    predicted: list[int] = Field(max_length=IDS)
    true: list[int] = Field(max_length=IDS)
    both_occupied: int
    either_occupied: int

    @classmethod
    def of(cls, counts: OverlapCounts) -> "Overlap":
        """Return counts as plain lists."""
        unnamed = counts.predicted[SemanticClass.UNNAMED] or counts.true[SemanticClass.UNNAMED]
        ids = slice(None) if unnamed else slice(SemanticClass.UNNAMED)
        return cls(
            matched=counts.matched[ids].tolist(),
            predicted=counts.predicted[ids].tolist(),
            true=counts.true[ids].tolist(),
            both_occupied=counts.both_occupied,
            either_occupied=counts.either_occupied,
        )

    def counts(self) -> OverlapCounts:
        """Return the counts to add up."""
        return OverlapCounts(
            _counts(self.matched),
            _counts(self.predicted),
            _counts(self.true),
            self.both_occupied,
            self.either_occupied,
        )


def _counts(stored: Sequence[int]) -> NDArray[np.int64]:
    counts = np.zeros(IDS, np.int64)
    counts[: len(stored)] = stored
    return counts


class TourScores(BaseModel):
    """Everything measured on one tour.

    fingerprint: of the video's results that were measured. indoor_right, indoor_clips: clips judged right, judged.
    transition_frames: kept frames that lie inside a transition. indoor_shots, shots_reconstructed: how many indoor
    shots the tour has and how many came through.
    """

    model_config = ConfigDict(frozen=True)

    video_id: str
    fingerprint: str
    cuts: CutCounts
    transition_frames: int
    indoor_right: int
    indoor_clips: int
    indoor_shots: int
    shots_reconstructed: int
    clips: tuple[ClipErrors, ...]
    pixels: Overlap
    grids: Overlap
    grids_true_scale: Overlap
