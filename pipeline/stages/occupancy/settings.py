"""Settings of the stage ``occupancy``."""

from typing import Any, Literal

from pydantic import Field

from pipeline.contract.classes import SemanticClass
from pipeline.geometry.voxels import VoxelSettings
from pipeline.stages.base import StageSettings

UNNAMED_UNKNOWN = "1"
"""Code version of grids, up to release 0.2, in which voxels are unknown whose points have no label."""


class OccupancySettings(VoxelSettings, StageSettings):
    """How grids are filled."""

    earlier_grids: Literal["keep", "remake"] = Field(
        "keep",
        description="what becomes of grids in which voxels without a label are unknown, as earlier releases made them: "
        "they stand (keep), or are made again with such voxels occupied, unnamed (remake)",
    )

    def decisive(self) -> dict[str, Any]:
        """Return what decides a grid, and not which grids of earlier releases stand."""
        return self.model_dump(mode="json", exclude={"earlier_grids"})

    def earlier(self) -> tuple[str, ...]:
        """Return the code version whose grids stand, unless they are to be made again."""
        return (UNNAMED_UNKNOWN,) if self.earlier_grids == "keep" else ()


def label_of_unlabelled(code_version: str) -> SemanticClass:
    """Return what a voxel is whose points have no label, in grids of a code version of the stage."""
    return SemanticClass.UNKNOWN if code_version == UNNAMED_UNKNOWN else SemanticClass.UNNAMED
