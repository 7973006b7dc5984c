"""A small network with name-seeded weights, made once, and pictures for it; no test may change it."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from models.moge import Moge
from models.moge.name_seeded import TINY_MOGE, name_seeded_moge
from models.san.name_seeded import photo


@cache
def tiny_moge() -> Moge:
    return name_seeded_moge(TINY_MOGE)


def pictures(*named: tuple[str, int, int]) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1] of names and sizes."""
    return torch.from_numpy(np.stack([photo(*one) for one in named])).permute(0, 3, 1, 2).float() / 255
