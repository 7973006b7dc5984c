"""Image encoders: ResNet-50 with MaskDINO's pixel decoder (Li et al., CVPR 2023), and a small one."""

import math
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD, Bottleneck
from models.symphonies.attention import DeformableAttention
from models.symphonies.config import SymphoniesConfig

WIDTH = 256
SMALL_WIDTHS = (16, 32, 48, 64)


class Encoder(Protocol):
    """Pictures (B, 3, H, W) in 0..1 to three maps (B, channels, h, w) at 1/4, 1/8 and 1/16."""

    def __call__(self, rgb: Tensor) -> list[Tensor]:
        """Encode pictures."""
        ...


def image_encoder(config: SymphoniesConfig) -> nn.Module:
    """Return the encoder that a configuration names."""
    return MaskDinoEncoder(config) if config.encoder == "maskdino" else SmallEncoder(config)


def normalised(rgb: Tensor) -> Tensor:
    """Normalise pictures (B, 3, H, W) in 0..1 by ImageNet's mean and deviation."""
    mean, deviation = (rgb.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (rgb - mean) / deviation


class SmallEncoder(nn.Module):
    """Four stages of two convolutions at 1/2, 1/4, 1/8 and 1/16; coarser maps are added to finer ones."""

    def __init__(self, config: SymphoniesConfig) -> None:
        super().__init__()
        widths = (3, *SMALL_WIDTHS)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False),
                nn.GroupNorm(4, width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.GroupNorm(4, width),
                nn.ReLU(),
            )
            for before, width in pairwise(widths)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(width, config.channels, 1) for width in SMALL_WIDTHS[1:])

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Encode pictures."""
        x, maps = normalised(rgb), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        coarse = [lateral(map_) for lateral, map_ in zip(self.lateral, maps[1:], strict=True)]
        for finer in (1, 0):
            size = coarse[finer].shape[2:]
            coarse[finer] = coarse[finer] + functional.interpolate(coarse[finer + 1], size, mode="bilinear")
        return coarse


class MaskDinoEncoder(nn.Module):
    """ResNet-50 and MaskDINO's pixel decoder, reduced to three maps of ``channels``."""

    def __init__(self, config: SymphoniesConfig) -> None:
        super().__init__()
        self.backbone = ResNet50(frozen_norm=config.frozen_backbone_norm)
        self.pixel_decoder = PixelDecoder()
        self.out = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(WIDTH, config.channels, 1),
                nn.BatchNorm2d(config.channels),
                nn.ReLU(),
                nn.Conv2d(config.channels, config.channels, 1),
            )
            for _ in range(3)
        )

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Encode pictures: stage 2 of the ResNet at 1/4, the pixel decoder's maps at 1/8 and 1/16."""
        stages = self.backbone(normalised(rgb))
        eighth, sixteenth = self.pixel_decoder(stages[1:])
        return [out(map_) for out, map_ in zip(self.out, (stages[0], eighth, sixteenth), strict=True)]


class ResNet50(nn.Module):
    """ResNet-50 (He et al., CVPR 2016) without its classifier; names as in torchvision and mmdetection."""

    def __init__(self, *, frozen_norm: bool) -> None:
        super().__init__()
        self.frozen_norm = frozen_norm
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for number, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
            first = Bottleneck(inputs, width, 1 if number == 1 else 2)
            inputs = width * Bottleneck.expansion
            self.add_module(
                f"layer{number}", nn.Sequential(first, *(Bottleneck(inputs, width, 1) for _ in range(count - 1)))
            )
        if frozen_norm:
            for norm in self._norms():
                norm.requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps after the four stages, at 1/4, 1/8, 1/16 and 1/32."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        maps = []
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            maps.append(x)
        return maps

    def train(self, mode: bool = True) -> "ResNet50":
        """Switch to training; frozen norms keep their statistics."""
        super().train(mode)
        if self.frozen_norm:
            for norm in self._norms():
                norm.eval()
        return self

    def _norms(self) -> list[nn.Module]:
        return [module for module in self.modules() if isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm)]


class PixelDecoder(nn.Module):
    """MaskDINO's pixel decoder: six layers of deformable self-attention over the maps at 1/8, 1/16, 1/32 and 1/64.

    The published network also carries the step to 1/4 and the mask features, which nothing reads; they are kept,
    frozen, so that a checkpoint's entries all have a place and the parameters number the published 58.2 M.
    """

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        sources = [nn.Sequential(nn.Conv2d(inputs, WIDTH, 1), nn.GroupNorm(32, WIDTH)) for inputs in (512, 1024, 2048)]
        coarsest = nn.Sequential(nn.Conv2d(2048, WIDTH, 3, stride=2, padding=1), nn.GroupNorm(32, WIDTH))
        self.input_proj = nn.ModuleList([*sources, coarsest])
        self.level_embed = nn.Parameter(torch.randn(4, WIDTH))
        self.layers = nn.ModuleList(_PixelLayer() for _ in range(layers))
        self.unused = nn.ModuleDict(
            {
                "adapter_1": _normed_conv(1),
                "layer_1": _normed_conv(3),
                "mask_features": nn.Conv2d(WIDTH, WIDTH, 1),
            }
        ).requires_grad_(requires_grad=False)

    def forward(self, stages: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Turn the stages at 1/8, 1/16 and 1/32 into maps (B, 256, h, w) at 1/8 and 1/16."""
        inputs = [*stages, stages[-1]]
        maps = [project(stage) for project, stage in zip(self.input_proj, inputs, strict=True)]
        sizes = [(int(map_.shape[2]), int(map_.shape[3])) for map_ in maps]
        counts = [height * width for height, width in sizes]
        tokens = torch.cat([map_.flatten(2).transpose(1, 2) for map_ in maps], dim=1)
        position = torch.cat(
            [sine_positions(size).to(tokens) + embed for size, embed in zip(sizes, self.level_embed, strict=True)]
        ).expand_as(tokens)
        reference = torch.cat([_centres(size).to(tokens) for size in sizes]).expand(len(tokens), -1, -1)[:, :, None]
        for layer in self.layers:
            tokens = layer(tokens, position, reference, _as_maps(tokens, sizes, counts))
        eighth, sixteenth, *_ = _as_maps(tokens, sizes, counts)
        return eighth, sixteenth


class _PixelLayer(nn.Module):
    """Deformable self-attention and a feed-forward part, each with its norm behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(WIDTH, heads=8, levels=4, points=4, dropout=0.0)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.linear1 = nn.Linear(WIDTH, 2048)
        self.linear2 = nn.Linear(2048, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)

    def forward(self, tokens: Tensor, position: Tensor, reference: Tensor, maps: list[Tensor]) -> Tensor:
        """Map tokens (B, L, 256) to the same shape; the residual is the attention's own."""
        # x = LN(attn(x)), then LN(x + W2 relu(W1 x))
        tokens = self.norm1(self.self_attn(tokens, position, reference, maps))
        return self.norm2(tokens + self.linear2(functional.relu(self.linear1(tokens))))  # type: ignore[no-any-return]


def sine_positions(size: tuple[int, int]) -> Tensor:
    """Return DETR's sine encoding (h * w, 256) of a map: 128 channels of y, then 128 of x, both over 0..2 pi."""
    height, width = size
    y, x = (torch.arange(1, side + 1) / (side + 1e-6) * 2 * math.pi for side in (height, width))
    # channel 2i: sin(y / 10000^(2i / 128)); channel 2i + 1: its cosine
    divisor = 10000 ** (2 * (torch.arange(WIDTH // 2) // 2) / (WIDTH // 2))

    def waves(values: Tensor) -> Tensor:
        angles = values[:, None] / divisor
        return torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1)

    down, across = waves(y)[:, None].expand(-1, width, -1), waves(x)[None].expand(height, -1, -1)
    return torch.cat([down, across], dim=-1).flatten(0, 1)


def _centres(size: tuple[int, int]) -> Tensor:
    height, width = size
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def _as_maps(tokens: Tensor, sizes: list[tuple[int, int]], counts: list[int]) -> list[Tensor]:
    pieces = torch.split(tokens, counts, dim=1)
    return [piece.mT.reshape(len(tokens), -1, *size) for piece, size in zip(pieces, sizes, strict=True)]


def _normed_conv(kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(WIDTH, WIDTH, kernel, padding=kernel // 2, bias=False), nn.GroupNorm(32, WIDTH))
