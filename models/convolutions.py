"""Convolutions that small networks begin with, where there is too little training for patches alone."""

from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width)

    def forward(self, maps: Tensor) -> Tensor:
        """Refine maps (B, C, h, w)."""
        return functional.relu(maps + self.second(functional.relu(self.first(maps))))


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Make a 3x3 convolution with batch normalisation."""
    bare = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(bare, nn.BatchNorm2d(outputs))


def halving(inputs: int, outputs: int) -> nn.Sequential:
    """Make a 3x3 convolution that halves a map, with batch normalisation and ReLU."""
    return nn.Sequential(convolution(inputs, outputs, 2), nn.ReLU())
