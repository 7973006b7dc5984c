"""Settings of the stage ``occupancy``."""

from typing import Any, Literal

from pydantic import Field

from pipeline.contract.classes import SemanticClass
from pipeline.geometry.voxels import VoxelSettings
from pipeline.stages.base import StageSettings

OF_ONE_CLIP = "2"
"""Code version of grids that points of their own clip fill alone."""

UNNAMED_UNKNOWN = "1"
"""Code version of grids, up to release 0.2, in which voxels are unknown whose points have no label."""


CLIPS_BESIDE = 1
"""Clips beside by default. It is not written down, so that what was stored before it is not made again."""


class OccupancySettings(VoxelSettings, StageSettings):
    """How grids are filled."""

    earlier_grids: Literal["keep", "remake"] = Field(
        "keep",
        description="what becomes of grids in which voxels without a label are unknown, or which are filled by their "
        "own clip alone, as earlier releases made them: they stand (keep), or are made again (remake)",
    )

    clips_beside: int = Field(
        CLIPS_BESIDE,
        ge=0,
        le=20,
        description="how many clips of its world (pieces of one shot, shots of one place) before and after a clip fill "
        "its grids with their points, too; they wait in memory",
    )

    def decisive(self) -> dict[str, Any]:
        """Return what decides a grid, and not which grids of earlier releases stand.

        Clips beside are named only where somebody changed how many: grids of earlier releases stand.
        """
        unsaid = () if self.clips_beside != CLIPS_BESIDE else ("clips_beside",)
        return self.model_dump(mode="json", exclude={"earlier_grids", *unsaid})

    def earlier(self) -> tuple[str, ...]:
        """Return the code versions whose grids stand, unless they are to be made again."""
        return (OF_ONE_CLIP, UNNAMED_UNKNOWN) if self.earlier_grids == "keep" else ()


def label_of_unlabelled(code_version: str) -> SemanticClass:
    """Return what a voxel is whose points have no label, in grids of a code version of the stage."""
    return SemanticClass.UNKNOWN if code_version == UNNAMED_UNKNOWN else SemanticClass.UNNAMED


def clips_beside(code_version: str, settings: OccupancySettings) -> int:
    """Return how many clips on either side fill a grid of a code version of the stage that was made by ``settings``."""
    return 0 if code_version in {OF_ONE_CLIP, UNNAMED_UNKNOWN} else settings.clips_beside
