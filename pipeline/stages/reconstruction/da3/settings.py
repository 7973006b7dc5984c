"""Settings of the backend ``da3``."""

from typing import Annotated

from pydantic import Field

from models.weights.families import DA3, DA3_METRIC, MOGE
from pipeline.contract.values import NAMED_WEIGHTS
from pipeline.stages.reconstruction.network import NetworkSettings
from pipeline.stages.weight_family import of_family


class Da3Settings(NetworkSettings):
    """How Depth Anything 3 is run over a clip."""

    weights: Annotated[str, of_family(DA3)] = Field(
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
    metric_weights: Annotated[str | None, of_family(DA3_METRIC, MOGE)] = Field(
        None,
        json_schema_extra=NAMED_WEIGHTS,
        exclude_if=lambda weights: weights is None,
        description="network whose metric depth says the scale, asked of ten frames of a clip at most: "
        "da3_metric_large, or a MoGe-2 (moge_2_vits, moge_2_vitb, moge_2_vitl), or a path; none: nothing says it",
    )
