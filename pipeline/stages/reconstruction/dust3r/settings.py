"""Settings of the backend ``dust3r``."""

from typing import Annotated

from pydantic import Field

from models.weights.families import DUST3R
from pipeline.contract.values import HERE_ALONE, NAMED_WEIGHTS
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.network import NetworkSettings
from pipeline.stages.weight_family import of_family


class Dust3rSettings(NetworkSettings):
    """How DUSt3R is run over a clip."""

    weights: Annotated[str, of_family(DUST3R)] = Field(
        "dust3r_vitl_512_dpt",
        json_schema_extra=NAMED_WEIGHTS,
        description="shipped or registered name, or path of a .pth or .safetensors file",
    )
    image_size: int | None = Field(
        None,
        ge=64,
        le=1024,
        multiple_of=16,
        description="pixels of the long side, none = what the weights were trained for; 224 = a square from the "
        "middle, unless they were trained on another shape",
    )
    window: int = Field(3, ge=1, description="each frame is paired with so many next ones, both ways (swin-3)")
    strides: tuple[int, ...] = Field(
        (6, 12), description="and with the frames so far ahead, so that long clips do not drift"
    )
    complete_up_to: int = Field(6, ge=2, description="clips of so few frames take all pairs")
    batch_pairs: int | None = Field(
        None, ge=1, json_schema_extra=HERE_ALONE, description="pairs decoded at once; none = what the memory holds"
    )
    alignment: AlignmentSettings = AlignmentSettings()
