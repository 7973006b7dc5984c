"""How much a rendered house differs from the plain one: heights, glass, light, shapes, people."""

from pydantic import BaseModel, ConfigDict, Field


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
    odd_heights: float = Field(
        0, ge=0, le=1, description="share of tables, chairs, beds and counters of a height unlike their kind"
    )


HARD_HOUSES = HouseSettings(heights=True, one_operator=True, odd_heights=0.08)
"""Houses of the world ``hard``."""
