"""Small Side Adapter Networks with name-seeded weights, and pictures for them."""

from functools import cache

import torch
from torch import Tensor

from models.san import San
from models.san.config import SanConfig
from models.san.name_seeded import name_seeded_san, photo

SLIM = SanConfig(
    vision_width=64, vision_heads=2, clip_layers=3, recognition_layers=2, embedding=32,
    text_width=32, text_heads=1, text_layers=1,
    side_width=24, side_layers=4, queries=6, mask_channels=16, decoder_width=16,
)  # fmt: skip
"""One line each of CLIP's sizes for pictures, of its sizes for words, and of the side network's."""


@cache
def slim_san() -> San:
    """Make the network once; no test may change it."""
    return name_seeded_san(SLIM)


def planes(name: str, height: int, width: int) -> Tensor:
    """Picture of a name: (3, height, width) uint8."""
    return torch.from_numpy(photo(name, height, width)).permute(2, 0, 1)
