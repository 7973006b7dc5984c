"""DINOv2 (Oquab et al., 2023): pictures to tokens. Written from the published description.

Module names are those of the official state_dict, so that the weights of every network that stands on DINOv2 load.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.dinov2.blocks import BLOCK_EPS, ScaledBlock
from models.errors import UnusableInput

PATCH = 14
HEAD_WIDTH = 64
"""Channels of an attention head in every released DINOv2."""

_OFFSET = 0.1
"""Added to the grid's sides before they are divided by the table's, in DINOv2's own code."""

Resizing = Literal["factor", "size", "antialiased"]
"""How the table of positions meets another grid: by factors (rows + 0.1) / side, as DINOv2's authors and those of
networks on top of it do; by size, as transformers does; by size and antialiased, as it does with registers."""


@dataclass(frozen=True)
class Dinov2Config:
    """Sizes of one network.

    grid: side of the table of positions, in patches. registers: tokens between class and patches (Darcet et al., 2024).
    normalised_from: first block whose queries and keys are normalised (Depth Anything 3), None without any.
    camera_token: two tokens that take the class token's place on the way (Depth Anything 3).
    """

    width: int
    depth: int
    heads: int
    grid: int = 37
    patch: int = PATCH
    registers: int = 0
    gated: bool = False
    mask_token: bool = True
    camera_token: bool = False
    normalised_from: int | None = None
    last_eps: float = BLOCK_EPS
    resizing: Resizing = "factor"


class PatchProjection(nn.Module):
    """Patches of pictures to tokens, row by row."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens (B, rows * columns, C) of images (B, 3, H, W)."""
        return self.proj(images).flatten(2).mT  # type: ignore[no-any-return]


class Dinov2(nn.Module):
    """The network; parameters carry the names of the official state_dict."""

    def __init__(self, config: Dinov2Config) -> None:
        super().__init__()
        self.config = config
        width, first = config.width, config.normalised_from
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.camera_token = nn.Parameter(torch.zeros(1, 2, width)) if config.camera_token else None
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.grid**2, width))
        self.register_tokens = nn.Parameter(torch.zeros(1, config.registers, width)) if config.registers else None
        self.mask_token = nn.Parameter(torch.zeros(1, width)) if config.mask_token else None
        self.patch_embed = PatchProjection(width, config.patch)
        self.blocks = nn.ModuleList(
            ScaledBlock(width, config.heads, normalised=first is not None and i >= first, gated=config.gated)
            for i in range(config.depth)
        )
        self.norm = nn.LayerNorm(width, eps=config.last_eps)

    @property
    def camera_rows(self) -> Tensor:
        """The tokens (2, C) of the reference's camera and of all others, where the network has them.

        Raises:
            UnusableInput: it has none.
        """
        if self.camera_token is None:
            raise UnusableInput("this network knows no cameras: it sees one picture at a time")
        return self.camera_token[0]

    def embed(self, images: Tensor) -> Tensor:
        """Return tokens (B, 1 + registers + rows * columns, C) with positions, class token first, as block 0 gets them.

        images: (B, 3, H, W) with the mean and spread of ImageNet's taken off, sides multiples of the patch.

        Raises:
            UnusableInput: another shape, or values that are not finite.
        """
        check_images(images, self.config.patch)
        grid = (images.shape[-2] // self.config.patch, images.shape[-1] // self.config.patch)
        patches = self.patch_embed(images.to(self.cls_token))
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches], dim=1) + self.positions(grid)
        if self.register_tokens is None:
            return tokens
        registers = self.register_tokens.expand(len(images), -1, -1)
        return torch.cat([tokens[:, :1], registers, tokens[:, 1:]], dim=1)

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Return the positions (1, 1 + rows * columns, C) of a grid of patches; that of the class is never resized."""
        side = self.config.grid
        if grid == (side, side):
            return self.pos_embed
        table = self.pos_embed[:, 1:].float().view(1, side, side, -1).permute(0, 3, 1, 2)
        if self.config.resizing == "factor":
            # sampled with 1 / factor, which is not what a size gives
            factors = ((grid[0] + _OFFSET) / side, (grid[1] + _OFFSET) / side)
            resized = functional.interpolate(table, scale_factor=factors, mode="bicubic")
        else:
            smooth = self.config.resizing == "antialiased"
            resized = functional.interpolate(table, size=grid, mode="bicubic", antialias=smooth)
        return torch.cat([self.pos_embed[:, :1], resized.flatten(2).mT.to(self.pos_embed)], dim=1)

    def taps(self, images: Tensor, blocks: Iterable[int]) -> list[Tensor]:
        """Return what the named blocks give, through the last norm: (B, L, C) each, class token first."""
        wanted, found = list(blocks), {}
        tokens = self.embed(images)
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in wanted:
                found[index] = self.norm(tokens)
        return [found[index] for index in wanted]

    def forward(self, images: Tensor) -> Tensor:
        """Return all tokens after the last norm."""
        return self.taps(images, [self.config.depth - 1])[0]


def check_images(images: Tensor, patch: int) -> None:
    """Make sure that images (..., 3, H, W) can be cut into patches.

    Raises:
        UnusableInput: another shape, or values that are not finite.
    """
    if images.ndim < 4 or images.shape[-3] != 3 or not images.is_floating_point() or 0 in images.shape:
        raise UnusableInput(f"images must be (B, 3, H, W) floats, not {tuple(images.shape)} {images.dtype}")
    height, width = images.shape[-2:]
    if height % patch or width % patch:
        raise UnusableInput(f"image sides must be multiples of {patch}, not {height}x{width}")
    if not images.isfinite().all():
        raise UnusableInput("images hold values that are not finite")


def split(tensor: Tensor, axis: int, sizes: tuple[int, ...]) -> Tensor:
    """Lay one axis out as several; one size may be -1."""
    return tensor.reshape(*tensor.shape[:axis], *sizes, *tensor.shape[axis + 1 :])
