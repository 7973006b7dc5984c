"""Teacher ``efficientnet``: EfficientNet-Lite0 on ImageNet's photographs, which no renderer of ours made."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from models.errors import UnusableInput
from models.imagenet.efficientnet_lite import EfficientNetLite0, normalised, shipped_file
from models.weights.contents import checksum

BLOCKS, WIDTH, STRIDE = 11, 112, 16
"""Blocks that are run, the channels and the stride of the last one. Those after it halve the map for the classes."""


class EfficientNetTeacher:
    """EfficientNet-Lite0 (Tan and Le, 2019) up to its stride of 16, on pictures of their own size.

    480x640: 30 x 40 cells of 112 numbers. The weights are those of the installed package, or a file with its entries.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Load the weights of the package where no file is given; raises as ``EfficientNetLite0.load``."""
        self.network = EfficientNetLite0.load(path).requires_grad_(requires_grad=False)
        self.name, self.width = "efficientnet_lite0", WIDTH
        source = path or shipped_file()
        self.weights: Mapping[str, str] = {source.name: checksum(source)}

    def to(self, device: torch.device) -> "EfficientNetTeacher":
        """Move it to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, 112, ceil(H / 16), ceil(W / 16)) of pictures (B, 3, H, W) uint8.

        Raises:
            UnusableInput: a picture is smaller than a cell.
        """
        if min(rgb.shape[2:]) < STRIDE:
            message = f"pictures of {rgb.shape[3]}x{rgb.shape[2]} are smaller than a cell of {STRIDE} pixels"
            raise UnusableInput(message)
        device = next(self.network.parameters()).device
        return self.network.blocks(normalised(rgb.to(device)), BLOCKS)
