"""Name-seeded weights of a MoGe-2 as a file in the released layout, with what it says of itself."""

from pathlib import Path

import torch

from models.moge import Moge


def save_moge(path: Path, network: Moge) -> Path:
    """Write a network as a checkpoint, and return where."""
    torch.save({"model_config": _model_config(network), "model": network.state_dict()}, path)
    return path


def _model_config(network: Moge) -> dict[str, object]:
    config = network.config
    stack = {
        "dim_res_blocks": list(config.widths),
        "resamplers": ["conv_transpose"] * 3 + ["bilinear"],
    }
    heads = {f"{name}_head": {**stack, "num_res_blocks": list(config.head_blocks)} for name in config.maps}
    return {
        "encoder": {"intermediate_layers": list(config.taps)},
        "neck": {**stack, "num_res_blocks": list(config.neck_blocks)},
        "scale_head": {"dims": [config.width] * 3},
        "remap_output": config.remap,
        "num_tokens_range": [60, 120],
        **heads,
    }
