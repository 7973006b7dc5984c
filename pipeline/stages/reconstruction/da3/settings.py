"""Settings of the backend ``da3``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.values import HERE_ALONE, NAMED_WEIGHTS


class Da3Settings(BaseModel):
    """How Depth Anything 3 is run over a clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str = Field(
        "da3_base",
        json_schema_extra=NAMED_WEIGHTS,
        description="registered name (da3_base, da3_small for CPUs), or path of a .safetensors file or folder",
    )
    image_size: int = Field(
        504, ge=56, le=1036, multiple_of=14, description="pixels of the long side; 504 is what the networks are run at"
    )
    window: int = Field(
        64,
        ge=4,
        description="frames that see each other at once, which bounds memory; longer clips take overlapping windows. "
        "The authors advise 60 or more",
    )
    overlap: float = Field(
        0.5, ge=0.25, le=0.75, description="share of a window's frames that the window before has seen, too"
    )
    max_disagreement: float = Field(
        0.1,
        gt=0,
        description="largest distance between the points that two windows give the same pixels, median in shares of "
        "their depth; beyond it the clip falls apart there, and its longest piece is kept",
    )
    refine: bool = Field(
        True,
        description="whether cameras are adjusted to matches of SIFT features; kept only where they then foretell "
        "matches that the adjustment has not seen",
    )
    device: str | None = Field(
        None, json_schema_extra=HERE_ALONE, description="torch device; none = the GPU if there is one"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the body; auto = bfloat16 on GPUs that have it, else float32"
    )
    min_contrast: float = Field(
        2.0, ge=0, description="grey levels, standard deviation; flatter frames (fades, covered lens) are left out"
    )
    min_registered: int = Field(3, ge=2, description="fewer frames with a camera are no reconstruction")
    min_baseline: float = Field(
        0.01, ge=0, description="largest distance between cameras, in median depths, below which a note is left"
    )
