"""Small networks with name-seeded weights, made once, and pictures for them; no test may change them."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from models import name_seeded
from models.da3 import Da3, Da3Metric
from models.da3.name_seeded import TINY, TINY_METRIC, name_seeded_da3


@cache
def tiny() -> Da3:
    return name_seeded_da3(Da3, TINY)


@cache
def tiny_metric() -> Da3Metric:
    return name_seeded_da3(Da3Metric, TINY_METRIC)


def views(names: str, height: int = 70, width: int = 98) -> Tensor:
    """Views (1, S, 3, height, width), one a letter."""
    return torch.from_numpy(np.stack([name_seeded.image(name, height, width) for name in names]))[None]
