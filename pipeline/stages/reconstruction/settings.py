"""Settings of the stage ``reconstruction``."""

from pipeline.stages.backends import BackendSettings

WITHOUT_LENSES = "1"
"""Code version whose reconstructions know no lens that bends."""


class ReconstructionSettings(BackendSettings):
    """Who finds cameras and depth of a clip, and how."""

    def earlier(self) -> tuple[str, ...]:
        """Return the code version whose reconstructions stand: those of bent pictures are as wrong as they were."""
        return (WITHOUT_LENSES,)
