"""When two videos show the same."""

from pydantic import BaseModel, ConfigDict, Field

BITS = 64
"""Bits of a picture's hash."""

SAME_PICTURE = 12
"""Bits of 64 in which hashes of the same picture differ at most."""

FRAMES = 24
"""Frames whose hashes describe a video."""


class DuplicateSettings(BaseModel):
    """When two videos, or two clips of a video, show the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(True, description="leave out videos that show what an earlier one of the catalog shows")
    distance: int = Field(
        SAME_PICTURE, ge=0, le=BITS, description="most bits of 64 in which hashes of the same picture differ"
    )
    share: float = Field(
        0.4,
        gt=0,
        le=1,
        description="least share of frames found again in the other video; measured on rendered tours: 0.71 and "
        "more between copies (re-encoded, cropped, scaled, stamped, sped up, all at once), up to 0.13 between tours",
    )
    near: float = Field(
        0.2,
        gt=0,
        le=1,
        description="least share of frames found again at which two videos that are no copies stay on one side of the "
        "split; up to 0.13 between tours of different houses",
    )
    frames_min: int = Field(6, ge=1, le=FRAMES, description="fewest frames that say something; videos with less differ")
