"""Settings of the stage ``reconstruction``."""

from typing import Any, Literal

from pydantic import Field

from pipeline.stages.backends import BackendSettings

ONE_PRIOR = "1"
"""Code version of cameras, up to release 0.2, that come from one focal length and loosely verified pairs."""


class ReconstructionSettings(BackendSettings):
    """Who finds cameras and depth of a clip, and how."""

    earlier_cameras: Literal["keep", "remake"] = Field(
        "keep",
        description="what becomes of cameras that earlier releases found, which place fewer walks and more of them "
        "wrongly: they stand (keep), or are found anew (remake)",
    )

    def decisive(self) -> dict[str, Any]:
        """Return what decides cameras and depth, and not which of earlier releases stand."""
        return {name: value for name, value in super().decisive().items() if name != "earlier_cameras"}

    def earlier(self) -> tuple[str, ...]:
        """Return the code version whose cameras stand, unless they are to be found anew."""
        return (ONE_PRIOR,) if self.earlier_cameras == "keep" else ()
