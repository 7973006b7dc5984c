"""Synthetic weights of MoGe-2: functions of their names, for checks and benchmarks without a checkpoint.

Plain ones would give a point map that no camera could have taken. So coordinates have a way to the first two outputs
(``_PLANTED``), what else reaches these is turned down, and most of the mask is true.
"""

import math

import numpy as np
import torch
from torch import Tensor

from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.moge.config import MogeConfig
from models.moge.network import Moge
from models.name_seeded import steps

TINY_MOGE = MogeConfig(width=128, depth=3, taps=(1, 2), widths=(128, 40, 24, 16, 16))
"""A network of 1.4 million parameters with all that B has."""

_CONSTANTS = {"encoder.image_mean": IMAGENET_MEAN, "encoder.image_std": IMAGENET_STD}
_TABLE_NAMES = ("pos_embed", "cls_token", "mask_token")
_PLANTED = {
    "neck.input_blocks.4.weight": (1, 1),
    "points_head.input_blocks.4.weight": (1, 1, 4),
    "points_head.output_blocks.4.weight": (1, 1, 1),
}
_QUIET = (*_PLANTED, "neck.resamplers.3.1.", "points_head.resamplers.3.1.")


def name_seeded_moge(config: MogeConfig) -> Moge:
    """Return a network, in evaluation mode, whose every weight follows from its name."""
    with torch.device("meta"):
        network = Moge(config)
    state = {name: weight(name, tuple(entry.shape)) for name, entry in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(requires_grad=False)


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """Value of the state_dict entry ``key``: float32, an 8-bit integer times a power of two, or that plus 1 or 4."""
    if key in _CONSTANTS:
        return torch.tensor(_CONSTANTS[key]).reshape(shape)
    spread = torch.from_numpy(steps(key, math.prod(shape)).astype(np.float32)).reshape(shape)
    if key.endswith(_TABLE_NAMES):
        return spread * 2.0**-8
    if len(shape) == 1 and key.endswith((".weight", ".gamma")):
        return 1 + spread * 2.0**-9
    value = spread * 2.0 ** (_exponent(key, shape) - (4 if key.startswith(_QUIET) else 0))
    if key == "mask_head.output_blocks.4.bias":
        value += 1
    for index, diagonal in enumerate(_PLANTED.get(key, ())):
        value[index, index] += diagonal
    return value


def _exponent(key: str, shape: tuple[int, ...]) -> int:
    if len(shape) == 1:
        return -10
    transposed = len(shape) == 4 and shape[2] == 2
    fan_in = shape[0] if transposed else math.prod(shape[1:])
    louder = key.startswith(("scale_head.0.", "scale_head.2."))  # else all pictures have one scale
    return round(math.log2(math.sqrt(3.0 / fan_in))) - 7 + louder
