"""From pictures to the normalised, padded batch that the network reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import UnusableInput

SHORT_SIDE = 640
LONGEST_SIDE = 2560
DIVISOR = 32
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class PaddedBatch:
    """pixels: (B, 3, H, W) float, normalised, padded right and below with the mean colour; sizes: (h, w) before."""

    pixels: Tensor
    sizes: tuple[tuple[int, int], ...]


def resize_short_side(rgb: Tensor, short: int = SHORT_SIDE, longest: int = LONGEST_SIDE) -> Tensor:
    """Resize pictures (B, 3, h, w) in 0..255 until the short side is ``short`` or the long one ``longest``.

    Bilinear with rounding to whole grey levels, as in the benchmark whose scores SAN publishes.
    """
    height, width = rgb.shape[-2:]
    scale = min(short / min(height, width), longest / max(height, width))
    size = (int(height * scale + 0.5), int(width * scale + 0.5))
    resized = functional.interpolate(rgb.float(), size, mode="bilinear", align_corners=False, antialias=True)
    return resized.round().clamp(0, 255)


def normalise_and_pad(images: Tensor | Sequence[Tensor], like: Tensor) -> PaddedBatch:
    """Normalise pictures (3, h, w) in 0..255 and pad them to one size, a multiple of 32, as ``like``'s type and device.

    Raises:
        UnusableInput: no picture, or one that is not three planes of finite values.
    """
    if not len(images):
        raise UnusableInput("no picture given")
    for number, image in enumerate(images):
        if image.ndim != 3 or image.shape[0] != 3 or not image.numel():
            raise UnusableInput(f"picture {number} has shape {tuple(image.shape)} instead of (3, height, width)")
        if image.is_floating_point() and not image.isfinite().all():
            raise UnusableInput(f"picture {number} holds values that are not finite")
    sizes = tuple((int(image.shape[1]), int(image.shape[2])) for image in images)
    height, width = (-(-max(sides) // DIVISOR) * DIVISOR for sides in zip(*sizes, strict=True))
    mean, std = (torch.tensor(numbers, device=like.device).view(3, 1, 1) * 255 for numbers in (CLIP_MEAN, CLIP_STD))
    pixels = like.new_zeros(len(sizes), 3, height, width)
    for row, image in zip(pixels, images, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = (image.to(like.device, torch.float32) - mean) / std
    return PaddedBatch(pixels, sizes)
