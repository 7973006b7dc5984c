"""Settings of a rendered tour."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.texels import TEXEL
from pipeline.tours.variety import HouseSettings, MoveSettings

ADDED = ("effects", "houses", "moves")
"""Fields that came after tours had been published: left out of the provenance where they change nothing."""


class TourSettings(BaseModel):
    """What is built, how it is filmed and how it is cut together.

    The defaults give about 22 seconds, so that three tours become a dataset in ten to fifteen minutes on two cores.
    Where a default has no source it was chosen to look like the house tours of the paper's Fig. 2.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fps: int = Field(
        12, ge=2, le=60, description="frames a second; at walking speed 12 leave 3 cm between frames, 24 cost double"
    )
    rooms_min: int = Field(3, ge=3, le=6, description="fewest rooms of a house")
    rooms_max: int = Field(6, ge=3, le=6, description="most rooms of a house")
    ceiling_min: float = Field(2.4, ge=2.3, le=3.2, description="lowest ceiling, metres")
    ceiling_max: float = Field(3.0, ge=2.3, le=3.2, description="highest ceiling, metres")
    indoor_shots: int | None = Field(
        4, ge=1, le=200, description="indoor shots; more than rooms visit some again; none: one a room"
    )
    outdoor_shots: int = Field(1, ge=0, le=10, description="shots of the house from the garden")
    title: bool = Field(True, description="whether the tour opens with a title card")
    shot_seconds: float = Field(
        4.0, ge=0.5, le=120, description="mean length of a shot, seconds; each is 80 to 120 % of it"
    )
    title_seconds: float = Field(2.0, ge=0.5, le=10, description="length of the title card, seconds")
    dissolve_seconds: float = Field(0.5, ge=0.2, le=2, description="length of a dissolve and of each half of a fade")
    cut_share: float = Field(0.6, ge=0, le=1, description="share of hard cuts among changes of shot, the rest is soft")
    walking_speed: float = Field(0.3, gt=0.05, le=1, description="metres a second: an operator's slow sideways step")
    eye_height_min: float = Field(1.4, ge=1, le=2, description="lowest camera above the floor, metres")
    eye_height_max: float = Field(1.7, ge=1, le=2, description="highest camera above the floor, metres")
    field_of_view_min: float = Field(50, ge=30, le=100, description="narrowest horizontal field of view, degrees")
    field_of_view_max: float = Field(75, ge=30, le=100, description="widest horizontal field of view, degrees")
    shake_degrees: float = Field(0.3, ge=0, le=3, description="amplitude of the hand's rotation, degrees")
    shake_metres: float = Field(0.004, ge=0, le=0.05, description="amplitude of the hand's movement, metres")
    sensor_noise: float = Field(
        1.5, ge=0, le=20, description="standard deviation of the sensor's noise, grey levels of 255"
    )
    texel: float = Field(
        TEXEL,
        ge=TEXEL,
        le=0.1,
        exclude_if=lambda texel: texel == TEXEL,
        description="metres between texels of the house, at the finest; 0.05 is painted in a third of the time",
    )
    effects: EffectSettings = Field(EffectSettings(), description="what the film of it suffers, by default nothing")
    houses: HouseSettings = Field(
        HouseSettings(), description="what makes houses unlike the plain ones; all off unless asked for"
    )
    moves: MoveSettings = Field(
        MoveSettings(), description="how shots are filmed beside the slow sideways step; all off unless asked for"
    )

    def decisive(self) -> dict[str, Any]:
        """Return what decides the frames, as plain values; effects are named only where there are any.

        So a tour without them is known by what it was known by before there were any.
        """
        unused = {name for name in ADDED if getattr(self, name) == type(self).model_fields[name].default}
        return self.model_dump(mode="json", exclude=unused)

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> "TourSettings":
        for name in ("rooms", "ceiling", "eye_height", "field_of_view"):
            if getattr(self, f"{name}_min") > getattr(self, f"{name}_max"):
                message = f"{name}_min is larger than {name}_max"
                raise ValueError(message)
        return self
