"""Transformer blocks of DINOv2 (Oquab et al., 2023), with what Depth Anything 3 adds to them.

Everything here works on tokens (B, L, C). Module names are those of the official state_dict.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.mlp import Mlp
from models.rotary import Rotation

BLOCK_EPS = 1e-6
"""Epsilon of the layer norms inside DINOv2's blocks."""

TORCH_EPS = 1e-5
"""Epsilon of the layer norms that Depth Anything 3 adds, which are PyTorch's own."""


class LayerScale(nn.Module):
    """One learned factor a channel on what a branch adds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scale tokens (..., C)."""
        return tokens * self.gamma


class ScaledAttention(nn.Module):
    """Self-attention; optionally queries and keys are normalised a head, and turned by their tokens' places."""

    def __init__(self, width: int, heads: int, *, normalised: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = nn.LayerNorm(width // heads, eps=TORCH_EPS) if normalised else nn.Identity()
        self.k_norm = nn.LayerNorm(width // heads, eps=TORCH_EPS) if normalised else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, rotation: Rotation | None = None) -> Tensor:
        """Mix tokens (B, L, C) of one sequence."""
        batch, length, width = tokens.shape
        # rows of the projection: q | k | v, each head after head
        query, key, value = self.qkv(tokens).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = self.q_norm(query), self.k_norm(key)
        if rotation is not None:
            query, key = rotation.apply(query), rotation.apply(key)
        # softmax(Q K^T / sqrt(head_dim)) V, heads side by side again
        mixed = functional.scaled_dot_product_attention(query.to(value.dtype), key.to(value.dtype), value)
        return self.proj(mixed.transpose(1, 2).reshape(batch, length, width))  # type: ignore[no-any-return]


class GatedMlp(nn.Module):
    """SwiGLU, which the giant size has in place of the two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = (8 * width // 3 + 7) // 8 * 8
        self.w12 = nn.Linear(width, 2 * hidden)
        self.w3 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform every token by itself."""
        gate, value = self.w12(tokens).chunk(2, dim=-1)
        return self.w3(functional.silu(gate) * value)  # type: ignore[no-any-return]


class ScaledBlock(nn.Module):
    """Pre-norm block: x += ls1 attn(norm1 x); x += ls2 mlp(norm2 x)."""

    def __init__(
        self, width: int, heads: int, *, normalised: bool = False, gated: bool = False, eps: float = BLOCK_EPS
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.attn = ScaledAttention(width, heads, normalised=normalised)
        self.ls1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        self.mlp = GatedMlp(width) if gated else Mlp(width)
        self.ls2 = LayerScale(width)

    def forward(self, tokens: Tensor, rotation: Rotation | None = None) -> Tensor:
        """Apply the block."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens), rotation))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))  # type: ignore[no-any-return]
