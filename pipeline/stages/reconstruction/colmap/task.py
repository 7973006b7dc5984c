"""What a process of structure from motion is asked for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

XFEAT = "xfeat"


class Task(BaseModel):
    """Which features, and which pairs of frames; lies as ``task.json`` beside the frames.

    priors: focal lengths to start from, picture widths; those of the settings where there are none.
    window: of SIFT, frames up to so far apart are matched, and further ones by powers of two; None for all pairs.
    own: which of the frames are the clip's, rising; the others only help. None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Literal["sift", "xfeat"] = "sift"
    window: int | None = None
    priors: tuple[float, ...] = ()
    own: tuple[int, ...] | None = None


OWN_FRAMES = Task()
"""The first of all: SIFT in the frames of the clip, all pairs."""
