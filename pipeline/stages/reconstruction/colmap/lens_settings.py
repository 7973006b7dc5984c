"""Settings of what is undone of a film's camera before all else: a lens that bends, a shutter that rolls."""

from pydantic import BaseModel, ConfigDict, Field


class LensSettings(BaseModel):
    """How a lens that bends straight lines and a shutter that rolls are found, and when they are believed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    correct: bool = Field(
        True,
        description="Whether pictures are straightened where the clips of a video find a lens that bends; then "
        "``reconstruction`` holds pictures of its own, which its intrinsics are those of.",
    )
    least_of_lines: float = Field(
        0.03,
        gt=0,
        description="Bends, as shares of the half diagonal at a corner, from which on the straight edges of rooms tell "
        "the lens of a video before cameras are looked for; weaker ones are left to the cameras; 1 = edges are not "
        "asked.",
    )
    rolling_shutter: bool = Field(
        True,
        description="Whether rows are taken for exposed one after another where the clips of a video tell so: then "
        "every picture is moved back, row by row, to the moment of its middle row, and stored as straightened ones "
        "are. Needs the film, for the pictures just before and after each.",
    )
    least_readout_ms: float = Field(
        4.0, gt=0, description="Milliseconds from the first row to the last one below which rows are left as they are."
    )
    held_out: float = Field(0.2, gt=0, lt=0.5, description="Share of the observations that a lens must foretell.")
    least_sure: float = Field(
        4.0,
        ge=0,
        description="Standard errors by which a lens must lower the error of held-out observations; measured: 5.8 and "
        "more on tours with k1 of -0.05 to -0.3, below 2.5 without.",
    )
    least_gain: float = Field(0.005, ge=0, lt=1, description="Share by which it must lower it, too.")
    least_gain_rich: float = Field(
        0.03,
        ge=0,
        lt=1,
        description="Share by which three more coefficients must lower it further, and any must where pixels seem "
        "not square by more than a tenth: on anamorphic RealEstate10K clips, square pixels and a bend that is not "
        "there lower it by up to 0.015.",
    )
    least_bend: float = Field(
        0.005, ge=0, lt=1, description="Bends that move a corner by less, as a share of the half diagonal, are left."
    )
    focal: float | None = Field(
        None,
        gt=0.2,
        lt=3,
        description="Focal length where it is known, in widths of the 4:3 picture; none: what the clips of a video "
        "say together.",
    )
