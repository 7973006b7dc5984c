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
    side_max: int = Field(
        4096,
        ge=144,
        le=16384,
        description="most pixels a side, pixel aspect applied; 4K has 3840. A decoder holds up to some 20 pictures of "
        "1.5 bytes a pixel: half a gigabyte at 4096 a side, two at 8192",
    )
    fps_max: float = Field(
        240, gt=0, le=1000, description="most frames a second; phones film slow motion with up to 240"
    )
    packets_max: int = Field(
        2_000_000,
        ge=1,
        description="most packets of all streams of a file; an hour at 240 frames a second with sound has a million",
    )
    probe_bytes_max: int = Field(
        2 * 1024**3,
        ge=64 * 1024**2,
        description="memory that looking at a new file may take, bytes; one that wants more is no tour (Linux)",
    )
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
        return {**self.model_dump(mode="json", include={"height_max"}), "tour": self.tour.decisive()}
