"""How much a house differs from the plain one, and how it is filmed beside the slow sideways step."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.tours.effects.settings import Share

Speed = Annotated[float, Field(ge=0.1, le=2)]
TurnRate = Annotated[float, Field(ge=2, le=180)]
Overhead = Annotated[float, Field(ge=1.5, le=3)]
Tilt = Annotated[float, Field(ge=0, le=80)]
High = Annotated[float, Field(ge=2, le=30)]


class HouseSettings(BaseModel):
    """What makes a house less kind to its ruler; everything is off unless it is asked for.

    Shares were chosen so that a few houses show everything; no survey stands behind them. ``heights`` are from the
    spreads that ``pipeline.tours.sizes`` names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    heights: bool = Field(
        False, description="whether heights of doors, ceilings, tables, seats, counters, beds are drawn per house"
    )
    one_operator: bool = Field(
        False, description="whether a video has one eye height, which its shots keep to 2.5 %, rather than one a shot"
    )
    odd_heights: Share = Field(
        0, description="share of tables, chairs, beds and counters of a height unlike their kind"
    )
    clear_windows: Share = Field(0, description="share of windows that one looks through, at garden and sky")
    mirrors: Share = Field(0, description="share of rooms with a mirror that shows the room")
    glossy_floors: Share = Field(0, description="share of rooms whose floor shines")
    bare_rooms: Share = Field(0, description="share of rooms with bare white walls, without pictures")
    dark_rooms: Share = Field(0, description="share of rooms that are dark")
    darkness: tuple[Share, Share] = Field((0.15, 0.45), description="share of the usual light that dark rooms get")
    sun: bool = Field(False, description="whether the sun falls through clear windows")
    swapped_patterns: Share = Field(
        0, description="share of materials that have the pattern of another kind of thing: wooden sofas, tiled walls"
    )

    recesses: Share = Field(0, description="share of rooms that are L-shaped, where doors and windows leave a corner")
    slopes: Share = Field(0, description="share of rooms whose ceiling slopes down to a knee wall, where one fits")
    lofts: Share = Field(0, description="share of rooms two storeys high with a gallery and steps, where both fit")
    held_out: bool = Field(
        False,
        exclude_if=lambda held_out: not held_out,
        description="whether furniture, patterns and plan are those of no other house, on which nothing is trained: "
        "for what studies of training are scored on",
    )

    @model_validator(mode="after")
    def _are_ordered(self) -> "HouseSettings":
        if self.recesses + self.slopes + self.lofts > 1:
            message = "houses.recesses, slopes and lofts are shares of the same rooms: together at most 1"
            raise ValueError(message)
        if self.held_out and self.lofts:
            message = "houses.held_out: galleries are furnished by the builders of other houses: set houses.lofts to 0"
            raise ValueError(message)
        if self.darkness[0] > self.darkness[1]:
            message = f"houses.darkness: {self.darkness[0]} is larger than {self.darkness[1]}; lowest value first"
            raise ValueError(message)
        return self


HARD_HOUSES = HouseSettings(
    heights=True,
    one_operator=True,
    odd_heights=0.08,
    clear_windows=0.8,
    mirrors=0.35,
    glossy_floors=0.3,
    bare_rooms=0.3,
    dark_rooms=0.2,
    sun=True,
    swapped_patterns=0.15,
    recesses=0.3,
    slopes=0.3,
    lofts=0.25,
)
"""Houses of the world ``hard``."""

SCORED_HOUSES = HARD_HOUSES.model_copy(update={"lofts": 0.0, "held_out": True})
"""Houses that studies of training are scored on: as various, of what no other house is made of."""


class MoveSettings(BaseModel):
    """Shares of the shots that are filmed otherwise, and ranges (lowest, highest) that each of them draws from.

    The ranges were chosen by eye from house tours on the web; what is left of the shares is the sideways step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    forward: Share = Field(0, description="share of indoor shots that walk ahead through rooms and doorways")
    speed: tuple[Speed, Speed] = Field((0.6, 1.2), description="walking ahead, metres a second")
    turns: Share = Field(0, description="share of indoor shots that turn on the spot")
    turning: tuple[TurnRate, TurnRate] = Field((15, 45), description="turning on the spot, degrees a second")
    stairs: Share = Field(0, description="share of indoor shots up to a gallery or down; ahead where there is none")
    overhead: Share = Field(0, description="share of indoor shots by a gimbal held overhead, looking down")
    overhead_height: tuple[Overhead, Overhead] = Field(
        (2.2, 2.6), description="camera of those above the floor, metres; lower under a low ceiling"
    )
    overhead_tilt: tuple[Tilt, Tilt] = Field((30, 65), description="how far they look down, degrees")
    drone: Share = Field(0, description="share of outdoor shots by a drone that rises about the house")
    drone_height: tuple[High, High] = Field((5, 12), description="how high it rises, metres; as far as the shot lasts")
    people: Share = Field(0, description="share of indoor shots through which somebody walks, where there is room")
    pace: tuple[Speed, Speed] = Field((0.6, 1.3), description="of those who walk through, metres a second")

    @model_validator(mode="after")
    def _fit_together(self) -> "MoveSettings":
        for name, value in self:
            if isinstance(value, tuple) and value[0] > value[1]:
                message = f"moves.{name}: {value[0]} is larger than {value[1]}; write the lowest value first"
                raise ValueError(message)
        if self.forward + self.turns + self.stairs + self.overhead > 1:
            message = "moves.forward, turns, stairs and overhead are shares of the same shots: together at most 1"
            raise ValueError(message)
        return self


HARD_MOVES = MoveSettings(forward=0.45, turns=0.1, stairs=0.15, overhead=0.1, drone=0.4, people=0.25)
"""Movements of the world ``hard``."""
