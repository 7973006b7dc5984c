"""Settings of the stage ``indoor_clips``."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.weights.families import INDOOR, PLACES365
from pipeline.contract.values import HERE_ALONE, NAMED_WEIGHTS
from pipeline.stages.backends import BackendSettings
from pipeline.stages.weight_family import of_family


class SkyRuleSettings(BaseModel):
    """The numbers of the rule; shares are of pixels, of upper pixels, or of edge strength."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(8, ge=1, le=64, description="frames of a clip, evenly spaced, over which shares are averaged")
    usual_uprights: float = Field(
        0.12, ge=0, le=1, description="share of upright edges that says nothing: 0.05 to 0.14 outdoors, 0.14 to 0.56 in"
    )
    upright_weight: float = Field(
        4.0, ge=0, le=20, description="weight of uprights against that of sky and greenery; parts both sides widest"
    )
    balance: float = Field(
        0.1, ge=-1, le=1, description="outdoor evidence at which P(indoor) is 0.5; measured: at most 0 in, from 0.2 out"
    )
    softness: float = Field(0.05, gt=0, le=1, description="outdoor evidence by which the log-odds change by 1")
    flat_balance: float = Field(
        0.45, gt=0, lt=1, description="share of flat pixels above which no scene was filmed: cards 0.65, rooms to 0.22"
    )


class Places365Settings(BaseModel):
    """How a clip's frames are put to Places365."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Annotated[str, of_family(PLACES365)] = Field(
        "resnet50_places365",
        min_length=1,
        json_schema_extra=NAMED_WEIGHTS,
        description="name in the weights registry, or path of a checkpoint",
    )
    frames: int = Field(5, ge=1, le=64, description="frames of a clip, evenly spaced, whose probabilities are averaged")
    categories_kept: int = Field(5, ge=1, le=365, description="most probable scene categories kept for every clip")
    device: str | None = Field(
        None,
        json_schema_extra=HERE_ALONE,
        description="torch device the network runs on; none: the GPU if there is one",
    )


class ImageNetIndoorSettings(BaseModel):
    """How a clip's frames are put to a network that knows the classes of ImageNet, and how its answer is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(5, ge=1, le=64, description="frames of a clip, evenly spaced, whose log ratios are averaged")
    balance: float = Field(
        -0.2,
        ge=-10,
        le=10,
        description="log ratio of household to other classes where P(indoor) is 0.5; rooms from 0.53, others to -0.96",
    )
    softness: float = Field(0.2, gt=0, le=10, description="log ratio by which the log-odds change by 1")
    worn_max: float = Field(
        0.12,
        gt=0,
        le=1,
        description="probability of what people wear, averaged over those frames, above which people fill too much of "
        "the picture; 1 keeps all; measured: rooms up to 0.07, portraits over a third of a room and more 0.1 to 0.6",
    )
    device: str | None = Field(
        None,
        json_schema_extra=HERE_ALONE,
        description="torch device the network runs on; none: the GPU if there is one",
    )


class SmallIndoorSettings(BaseModel):
    """How a clip's frames are put to the small network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Annotated[str, of_family(INDOOR)] = Field(
        "indoor_small",
        min_length=1,
        json_schema_extra=NAMED_WEIGHTS,
        description="shipped name, or path of a .safetensors file",
    )
    frames: int = Field(8, ge=1, le=64, description="frames of a clip, evenly spaced, whose probabilities are averaged")


class IndoorClipsSettings(BackendSettings):
    """Who tells indoor from outdoor clips, and how sure it must be."""

    threshold: float = Field(0.5, ge=0, le=1, description="least P(indoor) of a clip that is kept")
    leave_out_turned: bool = Field(
        True,
        exclude_if=lambda value: value,
        description="whether a video is left out whose clips say it is on its side or upside down; `imagenet` tells",
    )
