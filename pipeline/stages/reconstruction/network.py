"""What backends have in common whose cameras and depth a network says."""

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.errors import TooFewRegistered
from pipeline.contract.values import HERE_ALONE
from pipeline.stages.reconstruction.recorded import recorded_weights


class NetworkSettings(BaseModel):
    """How a network is run over a clip; each backend has weights of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str
    device: str | None = Field(
        None, json_schema_extra=HERE_ALONE, description="torch device; none = the GPU if there is one"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the network's body; auto = bfloat16 on GPUs that have it, else float32"
    )
    min_contrast: float = Field(
        2.0, ge=0, description="grey levels, standard deviation; flatter frames (fades, covered lens) are left out"
    )
    min_registered: int = Field(3, ge=2, description="fewer frames with a camera are no reconstruction")
    min_baseline: float = Field(
        0.01, ge=0, description="largest distance between cameras, in median depths, below which a note is left"
    )


OwnSettingsT = TypeVar("OwnSettingsT", bound=NetworkSettings)


class NetworkReconstructor(Generic[OwnSettingsT]):
    """A backend with a file of weights, and what it asks of frames and cameras."""

    def __init__(self, settings: OwnSettingsT) -> None:
        self.settings = settings

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the file of weights; fetches it if need be.

        Raises:
            SettingsError: there are no such weights.
            WeightsAway: no server gives them at the moment.
        """
        return recorded_weights(self.settings.weights)

    def shown_frames(self, rgb: Images) -> NDArray[np.int64]:
        """Return which frames (n, h, w, 3) show anything: (k,) indices; raises ``TooFewRegistered``."""
        # frame by frame: a deviation of all at once takes eight times their memory
        contrast = np.array([frame.std(axis=(0, 1)).max() for frame in rgb])
        kept = np.flatnonzero(contrast >= self.settings.min_contrast)
        self.require(len(kept), "frames show anything but one colour")
        return kept

    def require(self, count: int, what: str) -> None:
        """Raise ``TooFewRegistered`` where ``count`` frames are too few."""
        if count < self.settings.min_registered:
            raise TooFewRegistered(f"only {count} {what}; {self.settings.min_registered} are needed")

    def baseline_notes(self, camera_to_world: NDArray[np.floating], depth: Floats) -> tuple[str, ...]:
        """Say where cameras (k, 4, 4) hardly move, measured in depths (any shape, 0 = no value)."""
        centres = camera_to_world[:, :3, 3]
        baseline, seen = np.linalg.norm(centres[:, None] - centres, axis=-1).max(), depth[depth > 0]
        if seen.size and baseline >= self.settings.min_baseline * np.median(seen):
            return ()
        return ("the camera hardly moved: depth rests on the network's experience alone",)


def dropped_notes(count: int, kept: int) -> tuple[str, ...]:
    """Say how many of ``count`` frames were left out."""
    return (f"{count - kept} frames of one colour were left out",) if kept < count else ()
