"""Settings of the stage ``occupancy``."""

from pipeline.geometry.voxels import VoxelSettings
from pipeline.stages.base import StageSettings


class OccupancySettings(VoxelSettings, StageSettings):
    """How grids are filled."""
