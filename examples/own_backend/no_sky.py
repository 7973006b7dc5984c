"""A backend of one's own: an indoor filter that looks for sky, bright blue at the top of the picture.

pip install ./examples/own_backend
youtube-occ process tour://7 --set indoor_clips.backend=no_sky
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.arrays import Images
from pipeline.contract.records import IndoorScore
from pipeline.stages.backends import Backend
from pipeline.stages.base import StageSettings


class NoSkySettings(BaseModel):
    """When the top of a picture is sky."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blue_min: float = Field(0.06, ge=0, le=1, description="blue over red and green of a pixel of sky, white = 1")
    sky_max: float = Field(0.3, gt=0, le=1, description="share of sky in the upper third at which P(indoor) is 0.5")


class NoSky:
    """Calls a clip indoors where little of its upper third is sky."""

    name = "no_sky"
    weights: Mapping[str, str] = {}

    def __init__(self, settings: NoSkySettings) -> None:
        self.settings = settings

    def score(self, rgb: Images) -> IndoorScore:
        """Score a clip's frames (n, h, w, 3) uint8 RGB."""
        top = rgb[:, : rgb.shape[1] // 3].astype(np.float32) / 255
        blue = top[..., 2] - np.maximum(top[..., 0], top[..., 1])
        sky = float((blue > self.settings.blue_min).mean())
        return IndoorScore(1 / (1 + (sky / self.settings.sky_max) ** 2), {"sky": sky})


def no_sky(stage: StageSettings, own: NoSkySettings, scratch: Path | None) -> NoSky:
    """Return the filter for these settings; those of the stage and the folder for caches do not matter to it."""
    del stage, scratch
    return NoSky(own)


NO_SKY = Backend("no_sky", NoSkySettings, no_sky)
