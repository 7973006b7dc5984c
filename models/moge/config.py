"""Sizes of a MoGe-2 network, read from the ``model_config`` of its checkpoint and compared with its tensors."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from models.dinov2.backbone import HEAD_WIDTH, Dinov2Config
from models.errors import WrongWeights
from models.weights.checkpoint import count_numbered
from models.weights.families import in_words

LEVELS = 5
MAPS = ("points", "normal", "mask")

TAPS = {(384, 12): (5, 11), (768, 12): (5, 11), (1024, 24): (5, 11, 17, 23)}
"""Blocks whose tokens are used, by width and depth of the released networks."""

_HEAD_BLOCKS = (0, 1, 1, 1, 0)
_NECK_BLOCKS = {(384, 12): _HEAD_BLOCKS, (768, 12): _HEAD_BLOCKS, (1024, 24): (0, 2, 2, 2, 0)}

_UNDERSTOOD = {
    "resamplers": ["conv_transpose", "conv_transpose", "conv_transpose", "bilinear"],
    "res_block_in_norm": "none",
    "res_block_hidden_norm": "none",
    "activation": "relu",
}
"""Settings of upstream that change the arithmetic, with the only values any released network has."""

_NAMES = {"encoder", "neck", "remap_output", "num_tokens_range", "scale_head", *(f"{name}_head" for name in MAPS)}
_BODY = "encoder.backbone."
_Shapes = Mapping[str, tuple[int, ...]]


class MogeConfig(BaseModel):
    """Sizes of one network; the defaults are those of B with normals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(768, ge=8, description="channels of a token")
    depth: int = Field(12, ge=1, description="blocks of the backbone")
    grid: int = Field(37, ge=1, description="side of the table of positions, patches")
    taps: tuple[int, ...] = Field((5, 11), min_length=1, description="blocks whose tokens are used")
    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        (768, 256, 128, 64, 32), description="channels of the five levels, coarse to fine"
    )
    neck_blocks: tuple[int, int, int, int, int] = Field((0, 1, 1, 1, 0), description="residual blocks a level, neck")
    head_blocks: tuple[int, int, int, int, int] = Field((0, 1, 1, 1, 0), description="residual blocks a level, heads")
    maps: tuple[Literal["points", "normal", "mask"], ...] = Field(
        ("points", "normal", "mask"), description="heads that there are"
    )
    has_scale: bool = Field(True, description="whether it says how large the scene is in metres")
    remap: Literal["exp", "linear", "sinh", "sinh_exp"] = Field("exp", description="from raw numbers to points")
    tokens: tuple[PositiveInt, PositiveInt] = Field((1200, 3600), description="fewest and most patches of a picture")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % HEAD_WIDTH:
            raise ValueError(f"width {self.width} does not give heads of {HEAD_WIDTH}")
        if list(self.taps) != sorted(set(self.taps)) or self.taps[0] < 0 or self.taps[-1] >= self.depth:
            raise ValueError(f"taps {self.taps} are no blocks of {self.depth}, in order")
        if "points" not in self.maps:
            raise ValueError("there is no head for points")
        return self

    @property
    def backbone(self) -> Dinov2Config:
        """Sizes of the DINOv2 inside."""
        return Dinov2Config(width=self.width, depth=self.depth, heads=self.width // HEAD_WIDTH, grid=self.grid)


def config_of(shapes: _Shapes, model_config: Any) -> MogeConfig:
    """Return the sizes of the network whose tensors have these shapes.

    model_config: what the checkpoint says of itself, or None; then what it cannot be asked is known of released sizes.

    Raises:
        WrongWeights: not the tensors of a MoGe-2, or a description that they deny.
    """
    try:
        counted = _counted(shapes)
        return MogeConfig(**counted, **_stated(model_config, counted))
    except (KeyError, IndexError, TypeError, ZeroDivisionError, ValueError, ValidationError) as error:
        raise WrongWeights(f"these are not the weights of a MoGe-2: {in_words(error)}") from error


def _counted(shapes: _Shapes) -> dict[str, Any]:
    found = tuple(name for name in MAPS if any(key.startswith(f"{name}_head.") for key in shapes))
    return {
        "width": shapes[f"{_BODY}cls_token"][-1],
        "depth": count_numbered(shapes, f"{_BODY}blocks."),
        "grid": round((shapes[f"{_BODY}pos_embed"][1] - 1) ** 0.5),
        "widths": tuple(shapes[f"neck.input_blocks.{level}.weight"][0] for level in range(LEVELS)),
        "neck_blocks": tuple(count_numbered(shapes, f"neck.res_blocks.{level}.") for level in range(LEVELS)),
        "head_blocks": tuple(count_numbered(shapes, f"points_head.res_blocks.{level}.") for level in range(LEVELS)),
        "maps": found,
        "has_scale": any(key.startswith("scale_head.") for key in shapes),
    }


def _stated(model_config: Any, counted: Mapping[str, Any]) -> dict[str, Any]:
    """Return taps, remap and range of tokens, which tensors do not tell, after comparing what they do tell."""
    if model_config is None:
        return {"taps": _known_taps(counted)}
    if not isinstance(model_config, Mapping) or not isinstance(model_config.get("encoder"), Mapping):
        raise WrongWeights("its model_config is not that of a MoGe-2 (MoGe-1 is another network, without metres)")
    strange = sorted(str(name) for name in {*model_config} - _NAMES)
    if strange:
        warnings.warn(f"unknown settings of the checkpoint are ignored: {', '.join(strange)}", stacklevel=2)
    for part in ("neck", *(f"{name}_head" for name in MAPS)):
        _check_stack(part, model_config.get(part), counted)
    if counted["has_scale"] != (model_config.get("scale_head") is not None):
        raise WrongWeights("model_config and tensors disagree on whether there is a scale_head")
    taps = model_config["encoder"]["intermediate_layers"]
    if isinstance(taps, int):
        if not 1 <= taps <= counted["depth"]:
            raise WrongWeights(f"model_config wants the last {taps} blocks of {counted['depth']}")
        taps = range(counted["depth"] - taps, counted["depth"])
    stated = {"taps": tuple(taps), "remap": model_config.get("remap_output", "linear")}
    if "num_tokens_range" in model_config:
        stated["tokens"] = tuple(model_config["num_tokens_range"])
    return stated


def _known_taps(counted: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the blocks that are used in a released network whose file does not say so."""
    size = (counted["width"], counted["depth"])
    if size not in TAPS:
        raise WrongWeights(
            "the file has no model_config and is of no released size, so that nobody knows which blocks are used: "
            "take the model.pt as it was released, which has one"
        )
    if counted["head_blocks"] != _HEAD_BLOCKS or counted["neck_blocks"] != _NECK_BLOCKS[size]:
        raise WrongWeights("the file has no model_config, and lacks residual blocks or has too many")
    return TAPS[size]


def _check_stack(part: str, stated: Any, counted: Mapping[str, Any]) -> None:
    """Refuse a stack that the tensors deny, or whose arithmetic no released network has."""
    if part.removesuffix("_head") not in ("neck", *counted["maps"]):
        if stated is not None:
            raise WrongWeights(f"model_config declares {part}, the tensors have none")
        return
    if not isinstance(stated, Mapping):
        raise WrongWeights(f"the tensors have a {part}, which model_config does not describe")
    blocks = counted["neck_blocks" if part == "neck" else "head_blocks"]
    expected = {**_UNDERSTOOD, "dim_res_blocks": list(counted["widths"]), "num_res_blocks": list(blocks)}
    for name, value in expected.items():
        found = stated.get(name, value)
        if (list(found) if isinstance(found, tuple) else found) != value:
            raise WrongWeights(f"{part}.{name} = {found!r} is not supported, or not what the tensors are: {value!r}")
