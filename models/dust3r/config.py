"""Sizes of a DUSt3R network, read from a hub ``config.json``, from a checkpoint's ``args``, or from tensor shapes."""

import ast
import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from models.errors import WrongWeights
from models.json_text import parsed_json
from models.weights.families import in_words

_UNDERSTOOD = {
    "pos_embed": ("RoPE100",),
    "output_mode": ("pts3d",),
    "depth_mode": (["exp", -math.inf, math.inf],),
    "conf_mode": (["exp", 1, math.inf],),
    "patch_size": (16,),
    "patch_embed_cls": ("PatchEmbedDust3R", "ManyAR_PatchEmbed"),
}
"""Settings of upstream that change the arithmetic, with the only values any released network has."""


class Dust3rConfig(BaseModel):
    """Sizes of one network, under upstream's names; the defaults are those of ViT-Large 512 DPT."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enc_embed_dim: int = Field(1024, ge=4, description="width of the encoder")
    enc_depth: int = Field(24, ge=1, description="blocks in the encoder")
    enc_num_heads: int = Field(16, ge=1, description="attention heads in the encoder")
    dec_embed_dim: int = Field(768, ge=4, description="width of both decoders")
    dec_depth: int = Field(12, ge=1, description="blocks in each decoder")
    dec_num_heads: int = Field(12, ge=1, description="attention heads in the decoders")
    head_type: Literal["linear", "dpt"] = Field("dpt", description="what turns tokens into pointmaps")
    img_size: tuple[PositiveInt, PositiveInt] = Field(
        (512, 512), description="largest picture seen in training (height, width), pixels"
    )
    stem: tuple[PositiveInt, PositiveInt, PositiveInt] | None = Field(
        None, description="channels at 1/2, 1/4 and 1/8 of convolutions before the patches; no released network has any"
    )
    position_grid: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="rows, columns of a learned table of absolute positions; no released network has one"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for width, heads in ((self.enc_embed_dim, self.enc_num_heads), (self.dec_embed_dim, self.dec_num_heads)):
            if width % (4 * heads):
                raise ValueError(f"width {width} does not give {heads} heads of a multiple of four")
        if self.head_type == "dpt" and self.dec_depth <= 9:
            raise ValueError(f"a DPT head needs more than 9 decoder blocks, not {self.dec_depth}")
        return self

    @property
    def hooks(self) -> tuple[int, int, int, int]:
        """Indices into the decoder's token maps that the DPT head reads; 0 is the encoder's output."""
        depth = self.dec_depth
        return 0, depth * 2 // 4, depth * 3 // 4, depth


def from_json(text: str | bytes) -> Dust3rConfig:
    """Read a hub ``config.json`` (bare ``Infinity`` allowed).

    Raises:
        WrongWeights: not JSON, or a network of another kind.
    """
    try:
        options = parsed_json(text)
    except ValueError as error:
        raise WrongWeights(f"config.json is not JSON: {error}") from error
    return _from_options(options if isinstance(options, dict) else {})


def from_expression(text: str) -> Dust3rConfig:
    """Read the constructor expression in a checkpoint's ``args.model``, without running it.

    Raises:
        WrongWeights: anything but one call with literal keyword arguments, or a network of another kind.
    """
    try:
        options = _keywords(ast.parse(text.strip(), mode="eval").body)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise WrongWeights(f"the checkpoint's description of its network cannot be read: {error}") from error
    return _from_options(options)


def from_shapes(shapes: Mapping[str, tuple[int, ...]]) -> Dust3rConfig:
    """Infer the sizes from a state_dict's shapes, with heads of 64 channels as in every released network.

    Raises:
        WrongWeights: these are not the tensors of a DUSt3R.
    """
    try:
        enc_dim, dec_dim = shapes["enc_norm.weight"][0], shapes["dec_norm.weight"][0]
        head: Literal["linear", "dpt"] = "linear" if "downstream_head1.proj.weight" in shapes else "dpt"
        return Dust3rConfig(
            enc_embed_dim=enc_dim,
            enc_depth=_count_blocks(shapes, "enc_blocks"),
            enc_num_heads=enc_dim // 64,
            dec_embed_dim=dec_dim,
            dec_depth=_count_blocks(shapes, "dec_blocks"),
            dec_num_heads=dec_dim // 64,
            head_type=head,
        )
    except (KeyError, IndexError, ValidationError) as error:
        raise WrongWeights(f"these are not the weights of a DUSt3R: {in_words(error)}") from error


def _keywords(call: ast.expr) -> dict[str, Any]:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise ValueError("not one constructor call with keyword arguments")
    if call.func.id != "AsymmetricCroCo3DStereo":
        raise ValueError(f"a {call.func.id}, not a DUSt3R")
    return {keyword.arg or "**": _literal(keyword.value) for keyword in call.keywords}


def _literal(node: ast.expr) -> Any:
    """Value of a literal made of numbers, strings, booleans, tuples, lists and ``inf``."""
    if isinstance(node, ast.Name) and node.id == "inf":
        return math.inf
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand)
    if isinstance(node, ast.Tuple | ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Constant):
        return node.value
    raise ValueError(f"'{ast.unparse(node)}' is no literal")


def _from_options(options: Mapping[str, Any]) -> Dust3rConfig:
    for name, allowed in _UNDERSTOOD.items():
        value = options.get(name, allowed[0])
        if (list(value) if isinstance(value, tuple) else value) not in allowed:
            raise WrongWeights(f"{name} = {value!r} is not supported; supported: {', '.join(map(repr, allowed))}")
    sizes = {name: options[name] for name in Dust3rConfig.model_fields if name in options}
    if isinstance(sizes.get("img_size"), int):
        sizes["img_size"] = (sizes["img_size"], sizes["img_size"])
    try:
        return Dust3rConfig.model_validate(sizes)
    except ValidationError as error:
        raise WrongWeights(f"impossible network sizes: {in_words(error)}") from error


def _count_blocks(shapes: Mapping[str, tuple[int, ...]], stack: str) -> int:
    return len({key.split(".")[1] for key in shapes if key.startswith(f"{stack}.")})
