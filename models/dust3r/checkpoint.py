"""Reading DUSt3R checkpoints: official ``.pth`` files, ``.safetensors``, and folders of the hub."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.dust3r.config import Dust3rConfig, from_expression, from_json, from_shapes
from models.errors import WrongWeights
from models.weights.checkpoint import read_file, read_metadata, state_dict_in
from models.weights.families import DUST3R, check_tensors
from models.weights.located import check_finite, located, with_checksum

_ALIAS = re.compile(r"\.scratch\.layer_rn\.([0-3])\.weight$")
_PRIMARY = re.compile(r"\.scratch\.layer([1-4])_rn\.weight$")
_SIZE_IN_NAME = re.compile(r"dust3r.*[_-](224|512)(?:[_.-]|$)", re.IGNORECASE)
_COUNTED = ("enc_embed_dim", "enc_depth", "dec_embed_dim", "dec_depth", "head_type")


def read_checkpoint(path_or_name: str | Path) -> tuple[Dust3rConfig, dict[str, Tensor]]:
    """Read the sizes and the tensors of a network, complete and in upstream's layout.

    Raises:
        WrongWeights: damaged, unsafe or another network's file, with its checksum and the one on record.
        WeightsUnavailable: as ``located``.
    """
    path = located(path_or_name, "model.safetensors", DUST3R)
    with with_checksum(path):
        return _read(path)


def _read(path: Path) -> tuple[Dust3rConfig, dict[str, Tensor]]:
    with torch.serialization.safe_globals([argparse.Namespace]):
        stored = read_file(path)
    state = _complete(state_dict_in({key: value for key, value in stored.items() if key != "args"}, path.name))
    check_tensors(state, DUST3R, path.name)
    counted = from_shapes({key: tuple(tensor.shape) for key, tensor in state.items()})
    config = _declared(path, stored) or _undeclared(path, counted)
    for size in _COUNTED:
        if getattr(config, size) != getattr(counted, size):
            raise WrongWeights(
                f"{path.name} declares {size} {getattr(config, size)}, its tensors {getattr(counted, size)}"
            )
    check_finite(state, path.name)
    return config, state


def _declared(path: Path, stored: Mapping[str, Any]) -> Dust3rConfig | None:
    """Sizes as the checkpoint, its metadata or a ``config.json`` beside it states them."""
    expression = getattr(stored.get("args"), "model", None)
    if isinstance(expression, str):
        return from_expression(expression)
    if path.suffix != ".safetensors":
        return None
    beside, inside = path.with_name("config.json"), read_metadata(path).get("config")
    if inside is None and not beside.is_file():
        return None
    return from_json(inside or beside.read_bytes())


def _undeclared(path: Path, counted: Dust3rConfig) -> Dust3rConfig:
    """Sizes of a file that declares none; its tensors tell all but the picture's, which must then be known.

    A released network of 224 pixels has the tensors of one of 512 to the last shape, and gives nonsense at 512.
    """
    if counted.head_type == "dpt":
        return counted  # of 512, as none of 224 was released
    named = _SIZE_IN_NAME.search(path.name) or _SIZE_IN_NAME.search(path.parent.name)
    if not named and counted.enc_embed_dim != Dust3rConfig().enc_embed_dim:
        return counted  # nobody released it
    if not named:
        raise WrongWeights(
            f"{path.name} does not say whether it is of pictures of 224 or 512 pixels, which give the same tensors; "
            "put its config.json beside it, or name the file as it was released, with _224_ or _512_"
        )
    side = int(named[1])
    return counted.model_copy(update={"img_size": (side, side)})


def _complete(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fill in what released files leave out: second names, and the second decoder of a CroCo checkpoint."""
    complete = dict(state)
    for key, tensor in state.items():
        primary = _ALIAS.sub(lambda match: f".scratch.layer{int(match[1]) + 1}_rn.weight", key)
        if primary != key and not torch.equal(complete.setdefault(primary, tensor), tensor):
            raise WrongWeights(f"{key} and {primary} are two names of one tensor, but differ")
    for key in list(complete):
        complete[_PRIMARY.sub(lambda match: f".scratch.layer_rn.{int(match[1]) - 1}.weight", key)] = complete[key]
    if not any(key.startswith("dec_blocks2.") for key in state):
        first = {key: tensor for key, tensor in state.items() if key.startswith("dec_blocks.")}
        complete |= {key.replace("dec_blocks.", "dec_blocks2.", 1): tensor for key, tensor in first.items()}
    return complete
