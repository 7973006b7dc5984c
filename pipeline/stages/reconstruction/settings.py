"""Settings of the stage ``reconstruction``."""

from pipeline.stages.backends import BackendSettings


class ReconstructionSettings(BackendSettings):
    """Who finds cameras and depth of a clip, and how."""
