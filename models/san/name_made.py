"""Weights of a Side Adapter Network and pictures as pure functions of their names, for checks and benchmarks."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.name_made import steps
from models.san.config import SanConfig
from models.san.network import San

TINY = SanConfig(
    vision_width=128,
    vision_heads=4,
    embedding=64,
    text_width=64,
    text_heads=2,
    text_layers=2,
    side_width=60,
    queries=20,
    mask_channels=48,
    decoder_width=40,
)
"""A network of 6 million parameters with the depth of ViT-B/16."""

_TABLES = ("pos_embed", "query_embed", "bg_embed", "class_embedding", "positional_embedding")
_EXPONENTS = {"logit_scale": -9, "bias_scaling.weight": -9, "token_embedding.weight": -6}
_OFFSETS = {"logit_scale": 3.0, "bias_scaling.weight": 1.0}


def name_made_san(config: SanConfig) -> San:
    """Return a network, in evaluation mode, whose every weight follows from its name."""
    with torch.device("meta"):
        network = San(config)
    state = {name: weight(name, tuple(entry.shape)) for name, entry in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    return network.eval()


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """Value of the state_dict entry ``name``: float32, an 8-bit integer times a power of two, spread as usual."""
    spread = torch.from_numpy(steps(name, math.prod(shape)).astype(np.float32)).reshape(shape)
    norm = len(shape) == 1 and name.endswith(".weight")
    offset = next((value for end, value in _OFFSETS.items() if name.endswith(end)), float(norm))
    return offset + spread * 2.0 ** _exponent(name, shape)


def photo(name: str, height: int, width: int) -> NDArray[np.uint8]:
    """Smooth waves and noise: (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    phases = (steps(f"phase:{name}", 12) / 127).reshape(4, 3)[:3]
    waves = [
        0.5 * np.sin((0.13 + 0.05 * along_x) * x + 3 * shift) * np.cos((0.11 + 0.05 * along_y) * y + channel)
        for channel, (along_x, shift, along_y) in enumerate(phases)
    ]
    noise = (steps(f"noise:{name}", 3 * height * width) / 127).reshape(height, width, 3)
    return np.clip(np.round(127.5 + 110 * (np.stack(waves, axis=-1) + 0.4 * noise)), 0, 255).astype(np.uint8)


def _exponent(name: str, shape: tuple[int, ...]) -> int:
    special = next((value for end, value in _EXPONENTS.items() if name.endswith(end)), None)
    if special is not None:
        return special
    if name.endswith(_TABLES):
        return -8
    if len(shape) == 1:
        return -9 if name.endswith(".weight") else -10
    fan_in = shape[0] if name.endswith(("text_projection", "clip_rec_head.proj")) else math.prod(shape[1:])
    return round(math.log2(math.sqrt(3.0 / fan_in))) - 7 + _emphasis(name)


def _emphasis(name: str) -> int:
    """Powers of two that keep masks off saturation, and regions and words apart from one another."""
    if name.endswith("query_mlp.layers.2.weight"):
        return -1
    return 3 * (name.startswith(("clip_rec_head.", "ov_classifier.")) and name.endswith("out_proj.weight"))
