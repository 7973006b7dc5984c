"""A small network that tells whether a picture was taken inside a house; trained on rendered houses, shipped here."""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.convolutions import halving
from models.weights.checkpoint import load_strictly
from models.weights.families import INDOOR
from models.weights.located import located, state_of_family, with_checksum

HEIGHT, WIDTH = 72, 96
_WIDTHS = (16, 32, 48, 64, 96)


class IndoorNet(nn.Module):
    """Five convolutions that halve the picture, and the mean of what they found: pictures to log-odds of indoors."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(halving(a, b) for a, b in zip((3, *_WIDTHS[:-1]), _WIDTHS, strict=True))
        self.head = nn.Linear(_WIDTHS[-1], 1)

    @classmethod
    def load(cls, path_or_name: Path | str) -> Self:
        """Load weights, in evaluation mode, by path or by their name in the registry.

        Raises:
            WrongWeights: the file is broken or belongs to another network.
            WeightsUnavailable: the name's weights cannot be had.
        """
        path = located(path_or_name, "model.safetensors", INDOOR)
        with with_checksum(path):
            state = state_of_family(path, INDOOR)
            with torch.device("meta"):
                network = cls()
            load_strictly(network, state, path.name)
        return network.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the log-odds (n,) that pictures (n, 3, h, w), RGB in 0..255, of any size, were taken indoors."""
        x = shrink(pictures) / 127.5 - 1
        for stage in self.stages:
            x = stage(x)
        return self.head(x.mean(dim=(2, 3)))[:, 0]  # type: ignore[no-any-return]


def shrink(pictures: Tensor) -> Tensor:
    """Resize pictures (n, 3, h, w) to the (n, 3, 72, 96) float32 that the network looks at."""
    if pictures.shape[-2:] == (HEIGHT, WIDTH):
        return pictures.float()
    return functional.interpolate(pictures.float(), (HEIGHT, WIDTH), mode="bilinear", antialias=True)
