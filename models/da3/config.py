"""Sizes of a Depth Anything 3 network, read from tensor shapes and, where there is one, from its ``config.json``."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from models.dinov2.backbone import HEAD_WIDTH, Dinov2Config
from models.dinov2.blocks import TORCH_EPS
from models.errors import WrongWeights
from models.json_text import parsed_json
from models.weights.checkpoint import count_numbered
from models.weights.families import in_words

LAYERS = {
    (384, 12, 4): (5, 7, 9, 11),
    (768, 12, 4): (5, 7, 9, 11),
    (1024, 24, None): (4, 11, 17, 23),
    (1024, 24, 8): (11, 15, 19, 23),
}
"""Blocks whose tokens the head reads, by width, depth and first alternating block of the released networks."""

_CAMERA_HEADS = 16
_BODY = "backbone.pretrained."
_Shapes = Mapping[str, tuple[int, ...]]


class Da3Config(BaseModel):
    """Sizes of one network; the defaults are those of BASE."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(768, ge=8, description="channels of a token")
    depth: int = Field(12, ge=2, description="blocks of the body")
    heads: int = Field(12, ge=1, description="attention heads of the body")
    grid: int = Field(37, ge=1, description="side of the table of positions, patches")
    layers: tuple[int, int, int, int] = Field((5, 7, 9, 11), description="blocks whose tokens the head reads")
    alternates_from: int | None = Field(
        4, ge=1, description="block from which every odd one sees all views; None: one view, metric depth"
    )
    features: int = Field(128, ge=4, description="channels of the head's fused maps")
    channels: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        (96, 192, 384, 768), description="channels of the head's four levels before they are fused"
    )
    camera_heads: int = Field(_CAMERA_HEADS, ge=1, description="attention heads of the camera encoder")
    camera_depth: int = Field(4, ge=0, description="blocks of the camera encoder")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for heads in (self.heads, self.camera_heads) if self.sees_views else (self.heads,):
            if self.width % heads:
                raise ValueError(f"width {self.width} cannot be shared by {heads} heads")
        if self.sees_views and self.width // self.heads % 4:
            raise ValueError(f"heads of {self.width // self.heads} channels cannot be turned in two directions")
        if list(self.layers) != sorted(set(self.layers)) or self.layers[0] < 0 or self.layers[-1] >= self.depth:
            raise ValueError(f"layers {self.layers} are not four blocks of {self.depth}, in order")
        if self.features % 8 or any(channels % 4 for channels in self.channels):
            raise ValueError("channels of the head must be multiples of 4, its features of 8")
        return self

    @property
    def sees_views(self) -> bool:
        """Whether this is a network for any number of views, and not the one for metric depth of a single one."""
        return self.alternates_from is not None

    @property
    def body(self) -> Dinov2Config:
        """Sizes of the DINOv2 inside."""
        return Dinov2Config(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            grid=self.grid,
            mask_token=False,
            camera_token=self.sees_views,
            normalised_from=self.alternates_from,
            last_eps=TORCH_EPS,
        )


def config_of(shapes: _Shapes, description: str | bytes | None) -> Da3Config:
    """Return the sizes of the network whose tensors have these shapes (without the leading ``model.``).

    description: the text of its ``config.json``, which then must agree; without it the blocks that the head reads are
    known of released sizes alone.

    Raises:
        WrongWeights: not the tensors of a Depth Anything 3, or a description of something else.
    """
    declared = {} if description is None else _declared(description)
    try:
        sizes = _counted(shapes)
        known = LAYERS.get((sizes["width"], sizes["depth"], sizes["alternates_from"]))
        layers = declared.get("net", {}).get("out_layers", known)
        if layers is None:
            raise WrongWeights(
                "a Depth Anything 3 of a size that was not released: put its config.json beside it, which says what "
                "its head reads"
            )
        heads = declared.get("cam_enc", {}).get("num_heads", _CAMERA_HEADS)
        config = Da3Config(**sizes, layers=layers, camera_heads=heads)
    except (KeyError, IndexError, TypeError, ZeroDivisionError, ValueError, ValidationError) as error:
        raise WrongWeights(f"these are not the weights of a Depth Anything 3: {in_words(error)}") from error
    _check_declared(config, declared)
    return config


def _counted(shapes: _Shapes) -> dict[str, Any]:
    width, positions = shapes[f"{_BODY}cls_token"][-1], shapes[f"{_BODY}pos_embed"][1]
    normalised = sorted(
        int(name.removeprefix(f"{_BODY}blocks.").split(".")[0]) for name in shapes if name.endswith("q_norm.weight")
    )
    first = normalised[0] if normalised else None
    head_width = HEAD_WIDTH if first is None else shapes[f"{_BODY}blocks.{first}.attn.q_norm.weight"][0]
    return {
        "width": width,
        "depth": count_numbered(shapes, f"{_BODY}blocks."),
        "heads": width // head_width,
        "grid": round((positions - 1) ** 0.5),
        "alternates_from": first,
        "features": shapes["head.scratch.output_conv1.weight"][1],
        "channels": tuple(shapes[f"head.projects.{level}.weight"][0] for level in range(4)),
    }


def _declared(text: str | bytes) -> dict[str, Any]:
    """Read the preset in a ``config.json``; upstream's class names in it are never imported."""
    try:
        stored = parsed_json(text)
    except ValueError as error:
        raise WrongWeights(f"config.json is not JSON: {error}") from error
    preset = stored.get("config") if isinstance(stored, dict) else None
    if not isinstance(preset, dict):
        raise WrongWeights("config.json does not describe a Depth Anything 3: it has no 'config'")
    if "anyview" in preset:
        raise WrongWeights("a NESTED Depth Anything 3 is two networks in one file: take DA3-BASE and DA3METRIC-LARGE")
    if "mono" in str(stored.get("model_name", "")).lower():
        raise WrongWeights(
            "DA3MONO-LARGE has the tensors of DA3METRIC-LARGE, but its depth is relative: take da3_metric_large"
        )
    parts = {name: preset.get(name) or {} for name in ("net", "head", "cam_enc")}
    if not all(isinstance(part, dict) for part in parts.values()):
        raise WrongWeights("config.json does not describe a Depth Anything 3: its parts are no objects")
    return parts


def _check_declared(config: Da3Config, declared: dict[str, dict[str, Any]]) -> None:
    start = -1 if config.alternates_from is None else config.alternates_from
    found: dict[str, dict[str, Any]] = {
        "net": {"alt_start": start, "qknorm_start": start, "rope_start": start, "cat_token": config.sees_views},
        "head": {"features": config.features, "out_channels": list(config.channels)},
    }
    for part, sizes in found.items():
        for name, size in sizes.items():
            stated = declared.get(part, {}).get(name, size)
            if stated != size:
                raise WrongWeights(f"config.json declares {part}.{name} {stated!r}, the tensors say {size!r}")
