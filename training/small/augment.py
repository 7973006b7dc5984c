"""Changes that make rendered pictures as varied as filmed ones: crop, mirror, colour, blur, noise, JPEG blocks.

All of them work on batches on any device, drawn by one generator.
"""

import torch
from torch import Tensor
from torch.nn import functional

from training.small.settings import AugmentSettings


def change_pictures(pictures: Tensor, chosen: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Return pictures (n, 3, h, w) float32 in 0..255, each changed in its own way; pixels stay where they are."""

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        shape = (len(pictures), channels, 1, 1)
        return low + (high - low) * torch.rand(shape, generator=generator, device=pictures.device)

    changed = pictures * uniform(-chosen.brightness, chosen.brightness).exp()
    changed = changed * uniform(-chosen.colour, chosen.colour, 3).exp()
    mean = changed.mean(dim=(1, 2, 3), keepdim=True)
    changed = mean + (changed - mean) * uniform(-chosen.contrast, chosen.contrast).exp()
    blurred = _blurred(changed) if chosen.blur else changed
    changed = torch.where(uniform(0, 1) < chosen.blur, torch.lerp(changed, blurred, uniform(0, 1)), changed)
    changed = torch.where(uniform(0, 1) < chosen.jpeg, _coarse_blocks(changed, uniform(8, 40)), changed)
    grain = torch.randn(pictures.shape, generator=generator, device=pictures.device)
    return (changed + uniform(0, chosen.noise) * grain).clamp(0, 255)


def mirror(maps: Tensor, mirrored: Tensor) -> Tensor:
    """Return maps (n, ..., w) with those rows that ``mirrored`` (n,) bool names turned left to right."""
    shape = (-1, *[1] * (maps.ndim - 1))
    return torch.where(mirrored.reshape(shape), maps.flip(-1), maps)


def _blurred(pictures: Tensor) -> Tensor:
    kernel = torch.tensor([1.0, 4, 6, 4, 1], device=pictures.device) / 16
    weight = (kernel[:, None] * kernel).expand(3, 1, 5, 5)
    return functional.conv2d(functional.pad(pictures, (2, 2, 2, 2), "replicate"), weight, groups=3)


def _coarse_blocks(pictures: Tensor, step: Tensor) -> Tensor:
    """Round the cosine transform of 8x8 blocks to multiples of ``step`` (n, 1, 1, 1), coarser for finer detail."""
    count, _, height, width = pictures.shape
    basis = _cosines(pictures.device)
    padded = functional.pad(pictures, (0, -width % 8, 0, -height % 8), "replicate")
    rows, columns = padded.shape[2] // 8, padded.shape[3] // 8
    blocks = padded.reshape(count, 3, rows, 8, columns, 8).transpose(3, 4)
    frequency = torch.arange(8, device=pictures.device)
    quantum = step[:, :, :, :, None, None] * (0.25 + (frequency[:, None] + frequency) / 7)
    spectrum = basis @ blocks @ basis.T
    kept = (spectrum / quantum).round() * quantum
    restored = (basis.T @ kept @ basis).transpose(3, 4).reshape(padded.shape)
    return restored[:, :, :height, :width]


def _cosines(device: torch.device) -> Tensor:
    """Return the orthonormal cosine transform of length 8, (8, 8)."""
    k, x = torch.arange(8, device=device)[:, None], torch.arange(8, device=device)
    table = torch.cos((2 * x + 1) * k * torch.pi / 16) * 0.5
    table[0] /= 2**0.5
    return table


def crop(maps: Tensor, corner: Tensor, share: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    """Cut a rectangle out of every map (n, c, h, w) float32 and resize it to ``size`` (height, width).

    corner: (n, 2), left and top of the cut, share of what is left over. share: (n,), side of the cut, in the map's.
    mode: ``bilinear`` or ``nearest``.
    """
    theta = torch.zeros(len(maps), 2, 3, device=maps.device)
    theta[:, 0, 0] = theta[:, 1, 1] = share
    theta[:, :, 2] = (2 * corner - 1) * (1 - share)[:, None]
    grid = functional.affine_grid(theta, [len(maps), maps.shape[1], *size], align_corners=False)
    return functional.grid_sample(maps, grid, mode=mode, padding_mode="border", align_corners=False)
