"""Synthetic weights of Depth Anything 3: functions of their names, for checks and benchmarks without a checkpoint."""

import math
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from models.da3.checkpoint import complete
from models.da3.config import Da3Config
from models.da3.metric import Da3Metric
from models.da3.network import Da3
from models.name_seeded import steps

_Network = TypeVar("_Network", Da3, Da3Metric)

TINY = Da3Config(
    width=64, depth=10, heads=2, layers=(3, 5, 7, 9), alternates_from=2, features=32, channels=(24, 48, 64, 64),
    camera_heads=4,
)  # fmt: skip
"""A network of 1.4 million parameters with all that BASE has."""

TINY_METRIC = Da3Config(
    width=64, depth=6, heads=2, layers=(1, 2, 4, 5), alternates_from=None, features=32, channels=(24, 48, 64, 64)
)
"""The same for metric depth of one view."""

_TABLES = ("pos_embed", "cls_token", "camera_token")
_NEAR_ONE = (".weight", ".gamma", "cam_dec.fc_fov.0.bias")
_QUIETER = {"cam_dec.fc_fov.0.weight": 3, "scratch.output_conv2.2.weight": 1}
"""Halvings: fields of view stay near a radian, exponentials of depth and confidence tame."""


def name_seeded_da3(kind: type[_Network], config: Da3Config) -> _Network:
    """Return a network, in evaluation mode, whose every weight follows from its name."""
    with torch.device("meta"):
        network = kind(config)
    state = {name: weight(name, tuple(entry.shape)) for name, entry in network.state_dict().items()}
    shared = {name: tensor for name, tensor in state.items() if "output_conv2_aux" not in name or ".0." in name}
    network.load_state_dict({**state, **complete(shared)}, assign=True)
    return network.eval().requires_grad_(requires_grad=False)


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """Value of the state_dict entry ``key``: float32, an 8-bit integer times a power of two, or one more than that."""
    spread = torch.from_numpy(steps(key, math.prod(shape)).astype(np.float32)).reshape(shape)
    if key.endswith(_TABLES):
        return spread * 2.0**-8
    if len(shape) == 1:
        return 1 + spread * 2.0**-9 if key.endswith(_NEAR_ONE) else spread * 2.0**-10
    transposed = len(shape) == 4 and shape[2] in (2, 4)
    fan_in = shape[0] if transposed else math.prod(shape[1:])
    quieter = next((halvings for name, halvings in _QUIETER.items() if key.endswith(name)), 0)
    return spread * 2.0 ** (round(math.log2(math.sqrt(3.0 / fan_in))) - 7 - quieter)
