"""The heads of Depth Anything 3, after the dense prediction transformer: depth and rays of views, or depth and sky.

Module names are those of the released state_dict.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.da3.config import Da3Config
from models.dinov2.backbone import PATCH, split
from models.dinov2.blocks import TORCH_EPS
from models.dpt import DptFusion, resized
from models.norms import ChannelNorm

_HIDDEN = 32
_WAVE_HEIGHT = 0.1
_WAVE_BASE = 100.0
_RAY_LEVEL = 3
"""The only level of the ray branch that is used; released files hold four."""


def waves(channels: int, size: tuple[int, int], picture: tuple[int, int], device: torch.device) -> Tensor:
    """Position waves (channels, h, w): sines and cosines of where a cell lies in a picture of (height, width)."""
    height, width = picture
    diagonal = (height**2 + width**2) ** 0.5
    exact = {"device": device, "dtype": torch.float64}
    y, x = (
        torch.linspace(-1, 1, cells, **exact) * ((cells - 1) / cells * side / diagonal)  # type: ignore[call-overload]
        for cells, side in zip(size, (height, width), strict=True)
    )
    quarter = channels // 4
    omega = _WAVE_BASE ** -(torch.arange(quarter, **exact) / quarter)  # type: ignore[call-overload]
    across, down = omega[:, None] * x, omega[:, None] * y
    row = torch.cat([across.sin(), across.cos()])[:, None].expand(-1, size[0], -1)
    column = torch.cat([down.sin(), down.cos()])[:, :, None].expand(-1, -1, size[1])
    return (torch.cat([row, column]) * _WAVE_HEIGHT).float()


def with_waves(maps: Tensor, picture: tuple[int, int]) -> Tensor:
    """Add position waves to maps (B, C, h, w)."""
    return maps + waves(maps.shape[1], (maps.shape[2], maps.shape[3]), picture, maps.device).to(maps)


class _Chain(nn.Module):
    """Adapters to one width, fusions, and the last convolutions of a chain."""

    def __init__(self, config: Da3Config, outputs: int) -> None:
        super().__init__()
        width = config.features
        for level, channels in enumerate(config.channels, start=1):
            self.add_module(f"layer{level}_rn", nn.Conv2d(channels, width, 3, padding=1, bias=False))
            self.add_module(f"refinenet{level}", DptFusion(width, has_skip=level < 4))
        self.output_conv1 = nn.Conv2d(width, width // 2, 3, padding=1)
        self.output_conv2 = _last(width, outputs)

    def fuse(self, adapted: Sequence[Tensor], suffix: str = "") -> Tensor:
        """Fuse adapted maps, finest first, from coarse to fine: (B, F, 8 rows, 8 columns)."""
        fused = adapted[3]
        for level in (4, 3, 2, 1):
            fusion = self.get_submodule(f"refinenet{level}{suffix}")
            if level < 4:
                fused = fused + fusion.resConfUnit1(adapted[level - 1])  # type: ignore[operator]
            size = adapted[level - 2].shape[-2:] if level > 1 else None
            fused = fusion(fused, size)
        return fused


class _RayChain(_Chain):
    """The same with a second chain for rays, whose four levels share one norm."""

    def __init__(self, config: Da3Config) -> None:
        super().__init__(config, 2)
        width = config.features
        for level in range(1, 5):
            self.add_module(f"refinenet{level}_aux", DptFusion(width, has_skip=level < 4))
        self.output_conv1_aux = nn.ModuleList(_five(width) for _ in range(4))
        norm = ChannelNorm(_HIDDEN, eps=TORCH_EPS)
        self.output_conv2_aux = nn.ModuleList(_last_normalised(width, norm) for _ in range(4))


class _Levels(nn.Module):
    """Token maps of four layers to four levels of one width."""

    scratch: _Chain

    def __init__(self, config: Da3Config, width: int) -> None:
        super().__init__()
        a, b, _, d = config.channels
        self.projects = nn.ModuleList(nn.Conv2d(width, channels, 1) for channels in config.channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(a, a, 4, stride=4),
                nn.ConvTranspose2d(b, b, 2, stride=2),
                nn.Identity(),
                nn.Conv2d(d, d, 3, stride=2, padding=1),
            ]
        )

    def adapted(self, maps: Sequence[Tensor], picture: tuple[int, int] | None) -> list[Tensor]:
        """Return maps of the features' width at 4, 2, 1 and 1/2 times the grid; picture: of which waves are added."""
        found = []
        for level, tokens in enumerate(maps):
            projected = self.projects[level](tokens)
            if picture is not None:
                projected = with_waves(projected, picture)
            found.append(self.scratch.get_submodule(f"layer{level + 1}_rn")(self.resize_layers[level](projected)))
        return found


class DualHead(_Levels):
    """Depth at the size of the picture and rays at 8/14 of it, each with a confidence."""

    scratch: _RayChain

    def __init__(self, config: Da3Config) -> None:
        super().__init__(config, 2 * config.width)
        self.norm = nn.LayerNorm(2 * config.width, eps=TORCH_EPS)
        self.scratch = _RayChain(config)

    def forward(
        self, layers: Sequence[Tensor], picture: tuple[int, int], *, rays: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Return logits of depth (B, 2, H, W) and of rays (B, 7, 8 rows, 8 columns), None where nobody asks.

        layers: four times (B, rows * columns, 2 C). picture: (H, W).
        """
        adapted = self.adapted([to_map(self.norm(tokens), picture) for tokens in layers], picture)
        neck = resized(self.scratch.output_conv1(self.scratch.fuse(adapted)), picture)
        depth = self.scratch.output_conv2(with_waves(neck, picture))
        if not rays:
            return depth, None
        ray_neck = self.scratch.output_conv1_aux[_RAY_LEVEL](self.scratch.fuse(adapted, "_aux"))
        return depth, self.scratch.output_conv2_aux[_RAY_LEVEL](with_waves(ray_neck, picture))


class MetricHead(_Levels):
    """Depth and sky of one view at the size of the picture; no waves, no norm."""

    def __init__(self, config: Da3Config) -> None:
        super().__init__(config, config.width)
        self.scratch = _Chain(config, 1)
        self.scratch.add_module("sky_output_conv2", _last(config.features, 1))

    def forward(self, layers: Sequence[Tensor], picture: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return logits of depth and of sky, (B, 1, H, W) each, from four times (B, rows * columns, C)."""
        adapted = self.adapted([to_map(tokens, picture) for tokens in layers], None)
        neck = resized(self.scratch.output_conv1(self.scratch.fuse(adapted)), picture)
        return self.scratch.output_conv2(neck), self.scratch.get_submodule("sky_output_conv2")(neck)


def to_map(tokens: Tensor, picture: tuple[int, int]) -> Tensor:
    """Lay tokens (B, rows * columns, C) of a picture out: (B, C, rows, columns), channels last in memory."""
    return split(tokens, 1, (picture[0] // PATCH, picture[1] // PATCH)).movedim(-1, 1)


def _last(width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width // 2, _HIDDEN, 3, padding=1), nn.ReLU(), nn.Conv2d(_HIDDEN, outputs, 1))


def _five(width: int) -> nn.Sequential:
    wide, half = (width, width // 2), (width // 2, width)
    return nn.Sequential(*(nn.Conv2d(*pair, 3, padding=1) for pair in (wide, half, wide, half, wide)))


def _last_normalised(width: int, norm: ChannelNorm) -> nn.Sequential:
    """Names count from 0 with two places for turning channels round, which the norm does itself."""
    first, last = nn.Conv2d(width // 2, _HIDDEN, 3, padding=1), nn.Conv2d(_HIDDEN, 7, 1)
    return nn.Sequential(first, nn.Identity(), norm, nn.Identity(), nn.ReLU(), last)
