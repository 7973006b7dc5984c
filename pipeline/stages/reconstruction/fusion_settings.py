"""Settings of the fusion of measured depth with a network's."""

from pydantic import BaseModel, ConfigDict, Field


class FusionSettings(BaseModel):
    """When a network's depth is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_pixels: int = Field(300, ge=10, description="Measured pixels of a frame at least, of its depth map.")
    max_held_out: float = Field(
        0.05, gt=0, lt=1, description="Median error of measured pixels that the fit has not seen, shares of depth."
    )
    max_far_off: float = Field(0.15, gt=0, lt=1, description="The same, 80th percentile.")
    max_beyond: float = Field(
        0.15,
        gt=0,
        description="Median error of measured pixels of a quarter of the frame that the fit of the other three "
        "foretells, of the worst quarter.",
    )
    max_around: float = Field(
        0.06, gt=0, lt=1, description="Mean error of measured pixels in the window around a pixel that is filled."
    )
    around: float = Field(0.1, gt=0, lt=1, description="Side of that window, picture widths.")
    follow: float = Field(
        0.06,
        ge=0,
        lt=0.5,
        description="How far filled depth follows what measured depth around it leaves of the fit, a deviation "
        "in picture widths; 0 = as fitted.",
    )
    carried: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Logarithm of the ratio to fitted depth up to which depth that other frames matched is carried "
        "over; 0 = none is.",
    )
    planes: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Logarithm of the ratio to fitted depth up to which planes that measured depth of the clip lies on "
        "go on where a frame has none; 0 = they do not. For networks that bend walls.",
    )
    farther: float = Field(
        2.0, ge=1, description="Filled depth lies between the nearest measured over this and the farthest times this."
    )
    tolerance: float = Field(
        0.06, gt=0, lt=0.5, description="Relative difference of depth up to which two views see the same surface."
    )
    max_angle: float = Field(
        35.0, gt=0, lt=90, description="Degrees between the network's normal and the slope of what is filled."
    )
    believed_angle: float = Field(
        20.0, gt=0, lt=90, description="Median angle to measured surfaces, degrees, up to which normals are believed."
    )
