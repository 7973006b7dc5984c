"""Settings of the stage ``occupancy``."""

from typing import Any, Literal

from pydantic import Field

from pipeline.contract.classes import SemanticClass
from pipeline.geometry.filling import VoxelSettings
from pipeline.stages.base import StageSettings

BY_POINTS = "3"
"""Code version of grids in which any point makes its voxel occupied."""

OF_ONE_CLIP = "2"
"""Code version of grids that points of their own clip fill alone."""

UNNAMED_UNKNOWN = "1"
"""Code version of grids, up to release 0.2, in which voxels are unknown whose points have no label."""

OF_RAYS = ("occupied_by", "depth_deviation", "least_share")
"""Settings by which rays fill grids."""

CLIPS_BESIDE = 1
"""Clips beside by default. It is not written down, so that what was stored before it is not made again."""


class OccupancySettings(VoxelSettings, StageSettings):
    """How grids are filled."""

    earlier_grids: Literal["keep", "remake"] = Field(
        "keep",
        description="what becomes of grids in which voxels without a label are unknown, which are filled by their own "
        "clip alone, or by points where rays are asked for, as earlier releases made them: they stand (keep), or are "
        "made again (remake)",
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

        Clips beside are named only where somebody changed how many, and how rays fill only where they do: grids of
        earlier releases stand.
        """
        unsaid = () if self.clips_beside != CLIPS_BESIDE else ("clips_beside",)
        of_rays = () if self.occupied_by == "rays" else OF_RAYS
        return self.model_dump(mode="json", exclude={"earlier_grids", *unsaid, *of_rays})

    @classmethod
    def unsaid(cls) -> dict[str, Any]:
        """Return how a grid was filled that says nothing of rays."""
        return {"occupied_by": "points"}

    def decisive_before(self, code_version: str) -> dict[str, Any]:  # noqa: ARG002 - every earlier one is alike
        """Return what decided a grid of an earlier code version: rays filled none."""
        return {key: value for key, value in self.decisive().items() if key not in OF_RAYS}

    def earlier(self) -> tuple[str, ...]:
        """Return the code versions whose grids stand, unless they are to be made again."""
        return (BY_POINTS, OF_ONE_CLIP, UNNAMED_UNKNOWN) if self.earlier_grids == "keep" else ()

    def as_made(self, code_version: str) -> "OccupancySettings":
        """Return how a grid of a code version of the stage was filled that was made by these settings."""
        if code_version not in {BY_POINTS, OF_ONE_CLIP, UNNAMED_UNKNOWN}:
            return self
        beside = self.clips_beside if code_version == BY_POINTS else 0
        return self.model_copy(update={"occupied_by": "points", "clips_beside": beside})


def label_of_unlabelled(code_version: str) -> SemanticClass:
    """Return what a voxel is whose points have no label, in grids of a code version of the stage."""
    return SemanticClass.UNKNOWN if code_version == UNNAMED_UNKNOWN else SemanticClass.UNNAMED
