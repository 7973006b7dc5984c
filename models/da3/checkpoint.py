"""Reading checkpoints of Depth Anything 3: ``model.safetensors`` as released, alone or in a folder of the hub."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from models.da3.config import Da3Config, config_of
from models.errors import WrongWeights
from models.weights.checkpoint import read_file, read_metadata, state_dict_in
from models.weights.families import DA3, check_tensors
from models.weights.located import check_finite, located, with_checksum

_ROOT = "model."
_SHARED = "head.scratch.output_conv2_aux.0.2."
_SHARED_NAME = re.compile(r"^head\.scratch\.output_conv2_aux\.[0-3]\.2\.")
_LEVELS = range(4)


def read_checkpoint(path_or_name: str | Path, family: str = DA3) -> tuple[Da3Config, dict[str, Tensor]]:
    """Read the sizes and the tensors of a network, complete and without the leading ``model.``.

    family: that a name must be of, ``DA3`` or ``DA3_METRIC``.

    Raises:
        WrongWeights: damaged, unsafe or another network's file, with its checksum and the one on record.
        WeightsUnavailable: a registered name that is neither cached nor reachable, or no such file.
    """
    path = located(path_or_name, "model.safetensors", family)
    with with_checksum(path):
        return _read(path)


def _read(path: Path) -> tuple[Da3Config, dict[str, Tensor]]:
    stored = state_dict_in(read_file(path), path.name)
    bare = {name.removeprefix(_ROOT): tensor for name, tensor in stored.items()}
    if len(bare) < len(stored):
        raise WrongWeights(f"{path.name} holds entries of one name with and without the leading '{_ROOT}'")
    check_tensors(bare, DA3, path.name)
    state = complete(bare)
    config = config_of({name: tuple(tensor.shape) for name, tensor in state.items()}, _description(path))
    check_finite(state, path.name)
    return config, state


def _description(path: Path) -> str | bytes | None:
    beside = path.with_name("config.json")
    inside = read_metadata(path).get("config") if path.suffix == ".safetensors" else None
    return inside or (beside.read_bytes() if beside.is_file() else None)


def complete(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the layer norm that all levels of the ray branch share its four names; a file keeps one of them.

    Raises:
        WrongWeights: two of its names hold different numbers.
    """
    whole = dict(state)
    for name, tensor in state.items():
        if _SHARED_NAME.match(name):
            first = _SHARED_NAME.sub(_SHARED, name)
            if not torch.equal(whole.setdefault(first, tensor), tensor):
                raise WrongWeights(f"{name} and {first} are two names of one tensor, but differ")
    for kind in ("weight", "bias"):
        if f"{_SHARED}{kind}" in whole:
            names = (f"head.scratch.output_conv2_aux.{level}.2.{kind}" for level in _LEVELS)
            whole |= dict.fromkeys(names, whole[f"{_SHARED}{kind}"])
    return whole
