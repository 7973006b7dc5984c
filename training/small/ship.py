"""Weights as they are shipped: half precision, with what it takes to build the network in the file's metadata."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.atomic import draft
from training.small.recipe import Recipe


def ship(recipe: Recipe[Any], network: nn.Module, folder: Path) -> Path:
    """Write ``<name>_small.safetensors`` into ``folder``, whole or not at all; return its path."""
    state = {name: _half(tensor) for name, tensor in network.state_dict().items() if not _is_counter(name)}
    path = folder / f"{recipe.name}_small.safetensors"
    with draft(path) as part:
        save_file(_without_aliases(state), part, metadata={"format": "pt", "config": recipe.network_config()})
    return path


def _half(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if tensor.dtype == torch.float32 else tensor


def _is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _without_aliases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors that share memory, which safetensors does not keep."""
    seen: set[int] = set()
    distinct = {}
    for name, tensor in state.items():
        distinct[name] = tensor.clone() if tensor.data_ptr() in seen else tensor
        seen.add(tensor.data_ptr())
    return distinct
