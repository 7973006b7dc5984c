"""Convolutions over cells: dilated context (ASPP), and the way from cells to voxels."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.symphonies.config import SymphoniesConfig

ASPP_DILATIONS = (1, 3)
GROUPS = 4


class Aspp(nn.Module):
    """Atrous spatial pyramid: x plus two convolutions at each dilation, summed, then ReLU.

    At the full grid this is 61 % of the network's forward pass; ``factored`` makes each 3x3x3 convolution three along
    one axis, with a third of the work.
    """

    def __init__(self, config: SymphoniesConfig) -> None:
        super().__init__()
        channels = config.channels
        self.branches = nn.ModuleList(
            nn.Sequential(
                context(channels, dilation, config),
                norm3d(channels, config),
                nn.ReLU(),
                context(channels, dilation, config),
                norm3d(channels, config),
            )
            for dilation in ASPP_DILATIONS
        )

    def forward(self, cells: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) to the same shape."""
        # y = relu(x + sum over dilations d of W2_d * relu(W1_d * x)), * a convolution, norms left out
        total = cells
        for branch in self.branches:
            total = total + branch(cells)
        return functional.relu(total)


class ToVoxels(nn.Module):
    """Up-samples cells to voxels and joins them with the voxels that the depth map's points fall into."""

    def __init__(self, config: SymphoniesConfig) -> None:
        super().__init__()
        fine = config.fine_channels
        self.grow = nn.ConvTranspose3d(config.channels, fine - 1, config.scale, stride=config.scale)
        self.join = nn.Conv3d(fine, fine, 3, padding=1)

    def forward(self, cells: Tensor, surface: Tensor) -> Tensor:
        """Map (B, C, X, Y, Z) and surface voxels (B, 1, 60, 60, 36) to (B, fine, 60, 60, 36)."""
        joined = torch.cat([functional.relu(self.grow(cells)), surface], dim=1)
        # with so few channels a CPU convolves twice as fast where they lie side by side, and voxels become rows
        return functional.relu(self.join(joined.contiguous(memory_format=torch.channels_last_3d)))


def context(channels: int, dilation: int, config: SymphoniesConfig) -> nn.Module:
    """Return a dilated 3x3x3 convolution, whole or factored."""
    if config.aspp == "full":
        return nn.Conv3d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
    kernels = ((3, 1, 1), (1, 3, 1), (1, 1, 3))
    return nn.Sequential(
        *(nn.Conv3d(channels, channels, k, padding="same", dilation=dilation, bias=False) for k in kernels)
    )


def norm3d(channels: int, config: SymphoniesConfig) -> nn.Module:
    """Return the decoder's norm."""
    return nn.BatchNorm3d(channels) if config.norm == "batch" else nn.GroupNorm(GROUPS, channels)
