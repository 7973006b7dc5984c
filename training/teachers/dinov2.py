"""Teacher ``dinov2``: the patch tokens of DINOv2."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from models.dinov2.layout import load_dinov2
from models.errors import UnusableInput
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.weights.checkpoint import read_state_dict
from models.weights.contents import checksum


class Dinov2Teacher:
    """DINOv2 (Oquab et al., 2023); features are the patch tokens after the last norm.

    With registers (Darcet et al., 2024) too: their tokens stand between the class and the patches, and are left out.

    Pictures are resized to the nearest multiples of the patch (480x640: 476x630, 34 x 45 patches of 14 pixels).
    """

    def __init__(self, path: Path) -> None:
        """Load a file of weights, official or as transformers writes it; all sizes are read from it."""
        self.network = load_dinov2(read_state_dict(path), path.name)
        config = self.network.config
        self.name, self.width, self.patch = "dinov2", config.width, config.patch
        self._before_patches = 1 + config.registers
        self.weights: Mapping[str, str] = {path.name: checksum(path)}

    def to(self, device: torch.device) -> "Dinov2Teacher":
        """Move it to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, D, h, w) of pictures (B, 3, H, W) uint8.

        Raises:
            UnusableInput: a picture is smaller than a patch.
        """
        if min(rgb.shape[2:]) < self.patch:
            message = f"pictures of {rgb.shape[3]}x{rgb.shape[2]} are smaller than a patch of {self.patch} pixels"
            raise UnusableInput(message)
        height, width = (side // self.patch for side in rgb.shape[2:])
        pixels = rgb.to(self.network.cls_token.device).float() / 255
        size = (height * self.patch, width * self.patch)
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True)
        mean, deviation = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
        tokens: Tensor = self.network((pixels - mean) / deviation)[:, self._before_patches :]
        return tokens.mT.reshape(len(rgb), -1, height, width)
