"""CLIP's vision tower (Radford et al., 2021) in the two parts that a Side Adapter Network cuts it into."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.san.config import SanConfig
from models.san.positions import resize_positions


@dataclass(frozen=True)
class ClipMap:
    """Tokens of one CLIP layer: class_token (B, 1, C) and patches (B, C, h, w)."""

    class_token: Tensor
    patches: Tensor

    @property
    def tokens(self) -> Tensor:
        """The class token and the patches, row by row: (B, 1 + hw, C)."""
        return torch.cat([self.class_token, self.patches.flatten(2).transpose(1, 2)], dim=1)


class ClipExtractor(nn.Module):
    """The first blocks of CLIP, whose maps guide the side network."""

    def __init__(self, config: SanConfig) -> None:
        super().__init__()
        width, patch = config.vision_width, config.vision_patch
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(1 + config.clip_grid**2, width))
        self.ln_pre = nn.LayerNorm(width)
        self.resblocks = nn.ModuleList(ClipBlock(width, config.vision_heads) for _ in range(config.clip_layers))

    def forward(self, images: Tensor) -> list[ClipMap]:
        """Return the maps of images (B, 3, H, W): item 0 before the first block, item i after block i."""
        patches = self.conv1(images)
        grid = (int(patches.shape[2]), int(patches.shape[3]))
        class_token = self.class_embedding.expand(len(images), 1, -1)
        tokens = torch.cat([class_token, patches.flatten(2).transpose(1, 2)], dim=1)
        tokens = self.ln_pre(tokens + self._positions(grid))
        maps = [_as_map(tokens, grid)]
        for block in self.resblocks:
            tokens = block(tokens)
            maps.append(_as_map(tokens, grid))
        return maps

    def _positions(self, grid: tuple[int, int]) -> Tensor:
        class_row, table = self.positional_embedding[:1], self.positional_embedding[1:]
        return torch.cat([class_row[None], resize_positions(table[None], grid)], dim=1)


class RecognitionHead(nn.Module):
    """The last blocks of CLIP, run with one copy of the class token a region (section 3.3 of the paper).

    Each copy attends to itself and to the patches under its own bias, and nobody attends to a copy. Upstream says
    so in one mask over all tokens; here the copies are queries beside the plain tower, which gives the same numbers.
    """

    def __init__(self, config: SanConfig) -> None:
        super().__init__()
        width = config.vision_width
        self.resblocks = nn.ModuleList(ClipBlock(width, config.vision_heads) for _ in range(config.recognition_layers))
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, config.embedding))

    def forward(self, last: ClipMap, bias: Tensor) -> Tensor:
        """Return unit embeddings (B, Q, E) of the regions whose attention bias is ``bias`` (B, heads, Q, h, w)."""
        tokens = last.tokens
        regions = last.class_token.expand(-1, bias.shape[2], -1)
        grid = (int(last.patches.shape[2]), int(last.patches.shape[3]))
        pooled = functional.adaptive_max_pool2d(bias.flatten(0, 1), grid)
        pooled = pooled.reshape(*bias.shape[:3], grid[0] * grid[1])
        for block in cast("list[ClipBlock]", self.resblocks):
            regions, tokens = block.recognise(regions, tokens, pooled)
        return functional.normalize(self.ln_post(regions) @ self.proj, dim=-1)


class ClipBlock(nn.Module):
    """Pre-norm transformer block of CLIP, for pictures and (causal) for text."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = PackedAttention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = QuickGeluMlp(width)

    def forward(self, tokens: Tensor, *, causal: bool = False) -> Tensor:
        """Transform tokens (B, T, C)."""
        tokens = tokens + self.attn(self.ln_1(tokens), causal=causal)
        return tokens + self.mlp(self.ln_2(tokens))  # type: ignore[no-any-return]

    def recognise(self, regions: Tensor, tokens: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Transform regions (B, Q, C) and tokens (B, 1 + N, C), class token first, under bias (B, heads, Q, N)."""
        count = regions.shape[1]
        joint = torch.cat([regions, tokens], dim=1)
        joint = joint + self.attn.recognise(self.ln_1(joint), bias)
        joint = joint + self.mlp(self.ln_2(joint))
        return joint[:, :count], joint[:, count:]


class PackedAttention(nn.Module):
    """Multi-head attention whose query, key and value projections are one matrix, as PyTorch packs them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, tokens: Tensor, *, causal: bool) -> Tensor:
        """Mix tokens (B, T, C)."""
        query, key, value = self._project(tokens)
        return self._merge(functional.scaled_dot_product_attention(query, key, value, is_causal=causal))

    def recognise(self, joint: Tensor, bias: Tensor) -> Tensor:
        """Mix Q region tokens, the class token and N patches: joint (B, Q + 1 + N, C), bias (B, heads, Q, N)."""
        count = bias.shape[2]
        query, key, value = self._project(joint)
        plain = functional.scaled_dot_product_attention(query[:, :, count:], key[:, :, count:], value[:, :, count:])
        # softmax over (own copy, patches) of q k / sqrt(d), the bias added to the patches, times v
        scaled = query[:, :, :count] * query.shape[-1] ** -0.5
        own = (scaled * key[:, :, :count]).sum(dim=-1, keepdim=True)
        seen = scaled @ key[:, :, count + 1 :].transpose(2, 3) + bias
        weight = torch.cat([own, seen], dim=-1).softmax(dim=-1)
        regions = weight[..., :1] * value[:, :, :count] + weight[..., 1:] @ value[:, :, count + 1 :]
        return self._merge(torch.cat([regions, plain], dim=2))

    def _project(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        packed = functional.linear(tokens, self.in_proj_weight, self.in_proj_bias)
        query, key, value = packed.reshape(*tokens.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return query, key, value

    def _merge(self, heads: Tensor) -> Tensor:
        return self.out_proj(heads.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class QuickGeluMlp(nn.Module):
    """Two linear layers around x * sigmoid(1.702 x), the GELU that OpenAI trained CLIP with."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform every token by itself."""
        hidden = self.c_fc(tokens)
        return self.c_proj(hidden * torch.sigmoid(1.702 * hidden))  # type: ignore[no-any-return]


def _as_map(tokens: Tensor, grid: tuple[int, int]) -> ClipMap:
    return ClipMap(tokens[:, :1], tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, *grid))
