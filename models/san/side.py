"""The side network: a slim transformer on the full image that proposes masks, guided by CLIP's maps."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.mlp import Mlp
from models.norms import ChannelNorm
from models.san.clip import ClipMap
from models.san.config import SanConfig
from models.san.decoder import MaskDecoder
from models.san.positions import resize_positions

LAYER_NORM_EPS = 1e-6


@dataclass(frozen=True)
class SideLayer:
    """What a block of the side network says: queries (B, Q, D) and patches (B, D, sh, sw)."""

    queries: Tensor
    patches: Tensor


class SideAdapter(nn.Module):
    """Queries and patches through eight blocks, with CLIP's maps added to the patches after the first few."""

    def __init__(self, config: SanConfig) -> None:
        super().__init__()
        self.fused_layers = config.fused_layers
        self.query_embed = nn.Parameter(torch.zeros(1, config.queries, config.side_width))
        self.query_pos_embed = nn.Parameter(torch.zeros(1, config.queries, config.side_width))
        self.vit_model = SideVit(config)
        self.fusion_layers = nn.ModuleDict(
            {f"layer_{i}": Fusion(config.vision_width, config.side_width) for i in range(len(config.fused_layers))}
        )
        self.mask_decoder = MaskDecoder(config)

    def forward(self, images: Tensor, clip_maps: Sequence[ClipMap]) -> list[SideLayer]:
        """Return what the last two blocks say of images (B, 3, H, W); the last is the answer.

        The one before it is only for deep supervision in training.
        """
        patches = self.vit_model.patch_embed(images)
        grid, count = (int(patches.shape[2]), int(patches.shape[3])), self.query_embed.shape[1]
        positions = torch.cat([self.query_pos_embed, resize_positions(self.vit_model.pos_embed, grid)], dim=1)
        queries = self.query_embed.expand(len(images), -1, -1)
        tokens = torch.cat([queries, patches.flatten(2).transpose(1, 2)], dim=1) + positions
        tokens = self._fuse(0, tokens, grid, clip_maps)
        layers = []
        for number, block in enumerate(self.vit_model.blocks, start=1):
            tokens = self._fuse(number, block(tokens), grid, clip_maps)
            on_grid = tokens[:, count:].transpose(1, 2).reshape(len(tokens), -1, *grid)
            layers.append(SideLayer(tokens[:, :count], on_grid))
            tokens = tokens + positions
        return layers[-2:]

    def _fuse(self, number: int, tokens: Tensor, grid: tuple[int, int], clip_maps: Sequence[ClipMap]) -> Tensor:
        if number >= len(self.fused_layers):
            return tokens
        count = self.query_embed.shape[1]
        guide = clip_maps[self.fused_layers[number]].patches
        fused = self.fusion_layers[f"layer_{number}"](tokens[:, count:], guide, grid)
        return torch.cat([tokens[:, :count], fused], dim=1)


class SideVit(nn.Module):
    """Parameters of the side transformer, under the names of the checkpoint."""

    def __init__(self, config: SanConfig) -> None:
        super().__init__()
        width = config.side_width
        self.pos_embed = nn.Parameter(torch.zeros(1, config.side_grid**2, width))
        self.patch_embed = PatchEmbedding(width, config.side_patch)
        self.blocks = nn.ModuleList(SideBlock(width, config.side_heads) for _ in range(config.side_layers))


class PatchEmbedding(nn.Module):
    """One token a patch: (B, 3, H, W) to (B, D, H / patch, W / patch)."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        """Embed the patches."""
        return self.proj(images)  # type: ignore[no-any-return]


class Fusion(nn.Module):
    """Adds a CLIP map to the patches: norm over channels, 1x1 convolution, then resize to the side grid."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.input_proj = nn.Sequential(ChannelNorm(inputs, eps=LAYER_NORM_EPS), nn.Conv2d(inputs, width, 1))

    def forward(self, patches: Tensor, guide: Tensor, grid: tuple[int, int]) -> Tensor:
        """Return patches (B, sh * sw, D) plus the projection of guide (B, C, h, w)."""
        projected = functional.interpolate(self.input_proj(guide), grid, mode="bilinear", align_corners=False)
        return patches + projected.flatten(2).transpose(1, 2)


class SideBlock(nn.Module):
    """Pre-norm block with the exact GELU."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.attn = SideAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.mlp = Mlp(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform tokens (B, T, D)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))  # type: ignore[no-any-return]


class SideAttention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens (B, T, D)."""
        query, key, value = self.qkv(tokens).reshape(*tokens.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]
