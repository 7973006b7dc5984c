"""Settings of how a tour is filmed and published: ranges that each video draws from by its seed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PictureFormat = Literal["4:3", "16:9", "letterbox", "side_bars", "portrait"]
"""What a video looks like: a full picture, one between black lines, a tall one between blurred sides, a tall one."""

Share = Annotated[float, Field(ge=0, le=1)]


class EffectSettings(BaseModel):
    """Ranges, (lowest, highest), that a video draws from; the defaults are the perfect camera of ordinary tours.

    Ranges of the world ``hard`` are those of phones and gimbal cameras indoors; where one has no source, it was chosen
    by eye from house tours on the web.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    distortion: tuple[Annotated[float, Field(ge=-0.3, le=0.05)], Annotated[float, Field(ge=-0.3, le=0.05)]] = Field(
        (0, 0), description="radial distortion k1 of COLMAP's SIMPLE_RADIAL; less where a wide lens cannot bend so much"
    )
    principal_point: float = Field(
        0, ge=0, le=0.05, description="largest shift of the principal point, share of the picture's width"
    )
    readout_ms: tuple[Annotated[float, Field(ge=0, le=40)], Annotated[float, Field(ge=0, le=40)]] = Field(
        (0, 0), description="time from the first row's exposure to the last one's (rolling shutter), milliseconds"
    )
    exposure_ms: tuple[Annotated[float, Field(ge=0, le=50)], Annotated[float, Field(ge=0, le=50)]] = Field(
        (0, 0), description="exposure of a row, which blurs what moves, milliseconds; at most a frame's time"
    )
    exposure_samples: int = Field(4, ge=2, le=16, description="most moments of an exposure that are averaged")
    exposure_drift: tuple[Annotated[float, Field(ge=0, le=2)], Annotated[float, Field(ge=0, le=2)]] = Field(
        (0, 0), description="how far automatic exposure strays, stops"
    )
    white_balance_drift: tuple[Annotated[float, Field(ge=0, le=0.3)], Annotated[float, Field(ge=0, le=0.3)]] = Field(
        (0, 0), description="how far automatic white balance strays, share of red and blue"
    )
    iso: tuple[Annotated[float, Field(ge=0, le=12800)], Annotated[float, Field(ge=0, le=12800)]] = Field(
        (0, 0), description="sensitivity, whose shot and read noise replace sensor_noise; 0: sensor_noise"
    )
    bitrate_kbps: tuple[Annotated[float, Field(ge=0, le=20000)], Annotated[float, Field(ge=0, le=20000)]] = Field(
        (0, 0), description="H.264 at this rate, for 640x480 at 30 frames a second; 0: constant quality, crf 18"
    )
    frame_rates: tuple[Annotated[int, Field(ge=2, le=60)], ...] = Field(
        (), description="frames a second, one of these; none: fps"
    )
    variable_rate: Share = Field(0, description="share of videos whose frames stand at uneven times")
    formats: tuple[PictureFormat, ...] = Field(("4:3",), min_length=1, description="formats, one of which is drawn")
    captions: Share = Field(0, description="share of videos with captions")
    logos: Share = Field(0, description="share of videos with a logo in a corner")
    slide_shows: Share = Field(0, description="share of indoor shots that are stills, panned and zoomed over")
    speed_ups: Share = Field(0, description="share of indoor shots that are played faster")
    speed_up: tuple[Annotated[float, Field(ge=1, le=32)], Annotated[float, Field(ge=1, le=32)]] = Field(
        (4, 10), description="how much faster"
    )
    zooms: Share = Field(0, description="share of indoor shots during which the lens zooms")
    zoom: tuple[Annotated[float, Field(ge=1, le=3)], Annotated[float, Field(ge=1, le=3)]] = Field(
        (1.15, 1.6), description="by how much it zooms, in or out"
    )

    @model_validator(mode="after")
    def _are_ordered(self) -> "EffectSettings":
        for name, value in self:
            if isinstance(value, tuple) and name not in {"frame_rates", "formats"} and value[0] > value[1]:
                message = f"effects.{name}: {value[0]} is larger than {value[1]}; write the lowest value first"
                raise ValueError(message)
        if self.slide_shows + self.speed_ups + self.zooms > 1:
            message = "slide_shows, speed_ups and zooms are shares of the same shots: together at most 1"
            raise ValueError(message)
        return self


HARD = EffectSettings(
    distortion=(-0.3, 0.05),
    principal_point=0.02,
    readout_ms=(5, 30),
    exposure_ms=(4, 33),
    exposure_drift=(0.1, 0.7),
    white_balance_drift=(0.02, 0.12),
    iso=(100, 3200),
    bitrate_kbps=(500, 2500),
    frame_rates=(24, 30, 30, 30, 60),
    variable_rate=0.25,
    formats=("4:3", "16:9", "16:9", "16:9", "letterbox", "side_bars", "portrait"),
    captions=0.3,
    logos=0.4,
    slide_shows=0.1,
    speed_ups=0.05,
    zooms=0.1,
)
"""Ranges of the world ``hard``."""
