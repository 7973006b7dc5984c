"""Synthetic weights and images: pure functions of their names, so that checks and benchmarks need no checkpoint.

Every weight is an 8-bit integer times a power of two, which float16, bfloat16 and float32 all hold exactly; those of
norms are one more than that, which needs the eleven bits of float16.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_MASK = (1 << 64) - 1


def fill(network: nn.Module) -> None:
    """Set every entry of a DUSt3R's state_dict from its name."""
    with torch.no_grad():
        for key, parameter in network.state_dict().items():
            parameter.copy_(weight(key, tuple(parameter.shape)))


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """Value of the state_dict entry ``key``: float32, spread as by a usual initialisation."""
    for level in range(4):
        key = key.replace(f"scratch.layer_rn.{level}.", f"scratch.layer{level + 1}_rn.")
    spread = torch.from_numpy(steps(key, math.prod(shape)).astype(np.float32)).reshape(shape)
    offset = 1.0 if len(shape) == 1 and key.endswith(".weight") else 0.0
    # offset + n 2^e, n from -127 to 127
    return offset + spread * 2.0 ** _exponent(key, shape)


def image(name: str, height: int, width: int) -> NDArray[np.float32]:
    """Waves and noise (3, height, width) float32, about in (-1, 1)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    phase = (steps(f"phase:{name}", 12).astype(np.float32) / 127).reshape(4, 3)[:3]
    waves = [
        0.5 * np.sin((0.13 + 0.05 * along_x) * x + 3 * shift) * np.cos((0.11 + 0.05 * along_y) * y + channel)
        for channel, (along_x, shift, along_y) in enumerate(phase)
    ]
    noise = steps(f"noise:{name}", 3 * height * width).reshape(3, height, width).astype(np.float32) / 127
    return (np.stack(waves) + 0.4 * noise).astype(np.float32)


def _exponent(key: str, shape: tuple[int, ...]) -> int:
    if key == "mask_token":
        return -13
    if len(shape) == 1:
        return -9 if key.endswith(".weight") else -10
    transposed = len(shape) == 4 and shape[2] in (2, 4)
    fan_in = shape[0] if transposed else math.prod(shape[1:])
    return round(math.log2(math.sqrt(3.0 / fan_in))) - (10 if key.endswith(".dpt.head.4.weight") else 7)


def steps(name: str, count: int) -> NDArray[np.int16]:
    """``count`` integers in [-127, 127]: the top bytes of a splitmix64 stream seeded with the name's FNV-1a hash."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & _MASK
    with np.errstate(over="ignore"):
        stream = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        stream = (stream ^ (stream >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        stream = (stream ^ (stream >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        stream ^= stream >> np.uint64(31)
    top = (stream >> np.uint64(56)).astype(np.int16) - 128
    return np.maximum(top, np.int16(-127))
