"""Files of DINOv2 by whoever wrote them: the official layout, which networks here have, and that of transformers."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from models.dinov2.backbone import HEAD_WIDTH, Dinov2, Dinov2Config, Resizing
from models.errors import WrongWeights
from models.weights.checkpoint import for_inference

_PREFIX = re.compile(r"^dinov2(_with_registers)?\.")
_RENAMED = (
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.", ""),
    ("encoder.layer.", "blocks."),
    ("attention.output.dense.", "attn.proj."),
    ("layer_scale1.lambda1", "ls1.gamma"),
    ("layer_scale2.lambda1", "ls2.gamma"),
    ("mlp.weights_in.", "mlp.w12."),
    ("mlp.weights_out.", "mlp.w3."),
    ("layernorm.", "norm."),
)
_PARTS = ("query", "key", "value")
_SPLIT = "attention.attention."
_SURPLUS = {"classifier.weight", "classifier.bias"}


def load_dinov2(state: Mapping[str, Tensor], origin: str) -> Dinov2:
    """Return the network of a state dict of either layout, on the CPU, ready for inference.

    Positions are resized as the file's own code does it: transformers goes by size, with registers antialiased too.

    Raises:
        WrongWeights: something is missing, left over or of another shape.
    """
    bare = {_PREFIX.sub("", name): tensor for name, tensor in state.items()}
    by_transformers = "embeddings.cls_token" in bare
    entries = official(bare, origin) if by_transformers else bare
    resizing: Resizing = "factor"
    if by_transformers:
        resizing = "antialiased" if "register_tokens" in entries else "size"
    sizes = _sizes(entries, origin, resizing)
    return for_inference(lambda: Dinov2(sizes), entries, origin)


def official(state: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Give the entries of a file of transformers their official names; query, key and value become one.

    Raises:
        WrongWeights: one of the three is missing.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name in _SURPLUS or (_SPLIT in name and f"{_SPLIT}{_PARTS[0]}." not in name):
            continue
        if _SPLIT not in name:
            found[_renamed(name)] = tensor
            continue
        three = [name.replace(_PARTS[0], part) for part in _PARTS]
        missing = [other for other in three if other not in state]
        if missing:
            raise WrongWeights(f"{origin} lacks weights of DINOv2, first {missing[0]}")
        found[_renamed(name).replace(f"{_SPLIT}{_PARTS[0]}.", "attn.qkv.")] = torch.cat([state[one] for one in three])
    return found


def _renamed(name: str) -> str:
    for theirs, ours in _RENAMED:
        name = name.replace(theirs, ours)
    return name


def _sizes(state: Mapping[str, Tensor], origin: str, resizing: Resizing) -> Dinov2Config:
    try:
        width, _, patch, _ = state["patch_embed.proj.weight"].shape
        grid = round((state["pos_embed"].shape[1] - 1) ** 0.5)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise WrongWeights(f"{origin} is no DINOv2: {error} is missing") from error
    registers = state.get("register_tokens")
    return Dinov2Config(
        width=width,
        depth=len({name.split(".")[1] for name in state if name.startswith("blocks.")}),
        heads=max(width // HEAD_WIDTH, 1),
        grid=grid,
        patch=patch,
        registers=0 if registers is None else registers.shape[1],
        gated=any(".mlp.w12." in name for name in state),
        mask_token="mask_token" in state,
        resizing=resizing,
    )
