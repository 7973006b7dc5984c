"""What a process of structure from motion is asked for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

SIFT, XFEAT = "sift", "xfeat"


class Task(BaseModel):
    """Which features, and which pairs of frames; lies as ``task.json`` beside the frames.

    priors: focal lengths to start from, picture widths; those of the settings where there are none.
    window: frames up to so far apart are matched, and further ones by powers of two; None for all pairs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Literal["sift", "xfeat"] = "sift"
    window: int | None = None
    priors: tuple[float, ...] = ()


OWN_FRAMES = Task()
"""The first of all: SIFT in the frames of the clip, all pairs."""
