"""Teacher ``san``: the image tower of a Side Adapter Network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import UnusableInput
from models.san.preprocess import PaddedBatch, normalise_and_pad
from models.weights.contents import checksum

CELL = 32
"""Pixels of a picture of 480x640 behind a cell of the map."""


class SanTeacher:
    """The image tower of a Side Adapter Network: the map behind the last block that both of its networks read.

    Of a released one that is CLIP's, on pictures of their own size (480x640: 15 x 20 patches for ViT-B/16). The shipped
    small one reads pictures at twice the size it was trained on, for as many patches. What lies on padding is cut off.
    """

    def __init__(self, path: Path) -> None:
        from models.san.network import San

        network: Any = San.load(path)
        self.network = network.requires_grad_(requires_grad=False)
        self.is_small = hasattr(network, "tower")
        self.name = "small_san" if self.is_small else "san"
        self.width = int(network.config.stem[-1] if self.is_small else network.config.vision_width)
        self.weights: Mapping[str, str] = {path.name: checksum(path)}

    def to(self, device: torch.device) -> "SanTeacher":
        """Move it to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, D, h, w) of pictures (B, 3, H, W) uint8.

        Raises:
            UnusableInput: a picture is smaller than a cell.
        """
        if min(rgb.shape[2:]) < CELL:
            message = f"pictures of {rgb.shape[3]}x{rgb.shape[2]} are smaller than a cell of {CELL} pixels"
            raise UnusableInput(message)
        return self.small_map(rgb) if self.is_small else self._clip_map(rgb)

    def _clip_map(self, rgb: Tensor) -> Tensor:
        padded = normalise_and_pad(rgb, like=next(self.network.parameters()))
        scale = self.network.config.clip_scale
        smaller = functional.interpolate(padded.pixels, scale_factor=scale, mode="bilinear", align_corners=False)
        return without_padding(self.network.clip_visual_extractor(smaller)[-1].patches, padded)

    def small_map(self, rgb: Tensor) -> Tensor:
        """Return the map (B, D, h, w) of a small network's tower for pictures (B, 3, H, W) uint8."""
        padded = self.small_pictures(rgb)
        return without_padding(self.network.tower(self.network.stem(padded.pixels)[-1]).patches, padded)

    def small_pictures(self, rgb: Tensor) -> PaddedBatch:
        """Return pictures (B, 3, H, W) uint8 as a small network reads them, at twice the size it was trained on."""
        scale = 2 * self.network.config.short_side / min(rgb.shape[2:])
        smaller = functional.interpolate(rgb.float(), scale_factor=scale, mode="bilinear", antialias=True)
        return normalise_and_pad(smaller, like=next(self.network.parameters()))


def without_padding(patches: Tensor, padded: PaddedBatch) -> Tensor:
    """Cut the map (B, C, h, w) of a padded batch to the pictures, which are all of one size."""
    height, width = padded.sizes[0]
    rows = round(height * patches.shape[2] / padded.pixels.shape[2])
    columns = round(width * patches.shape[3] / padded.pixels.shape[3])
    return patches[:, :, :rows, :columns]
