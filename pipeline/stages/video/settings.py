"""Settings of the stage ``video``."""

from typing import Any

from pydantic import Field

from pipeline.sources.duplicates.settings import DuplicateSettings
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.base import StageSettings
from pipeline.tours.settings import TourSettings


class VideoSettings(StageSettings):
    """What is accepted as a video and how it is asked for."""

    height_max: int = Field(
        720, ge=144, le=4320, description="rows of the largest format asked for; frames are stored with 480"
    )
    duration_min_s: float = Field(0, ge=0, description="shortest video accepted, seconds")
    duration_max_s: float = Field(3600, gt=0, le=86400, description="longest video accepted, seconds")
    bytes_max: int = Field(4 * 1024**3, ge=1024, description="largest file accepted, bytes")
    free_bytes_min: int = Field(
        1024**3, ge=0, description="bytes that stay free on the disk; nothing is fetched where there are fewer"
    )
    timeout_s: float = Field(20, gt=0, le=600, description="seconds without an answer after which a host has failed")
    retries: int = Field(3, ge=0, le=100, description="times that a broken transfer is taken up again")
    web: WebSettings = Field(WebSettings(), description="how hosts are asked")
    duplicates: DuplicateSettings = Field(DuplicateSettings(), description="when two videos are one")
    tour: TourSettings = Field(TourSettings(), description="how rendered tours are built and filmed")

    def decisive(self) -> dict[str, Any]:
        """Return the settings that decide which video arrives; patience and bounds do not."""
        return self.model_dump(mode="json", include={"height_max", "tour"})
