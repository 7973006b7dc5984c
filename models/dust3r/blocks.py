"""Transformer blocks of DUSt3R's encoder and decoders, with rotary position embedding in two dimensions.

Everything here works on tokens (B, L, C), L = rows x columns in row-major order. Module names are those of
the released state_dict.
"""

from torch import Tensor, nn
from torch.nn import functional

from models.mlp import Mlp
from models.rotary import Rotation

LAYER_NORM_EPS = 1e-6


class Attention(nn.Module):
    """Self-attention with one projection for query, key and value."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, rotation: Rotation) -> Tensor:
        """Mix the tokens of one image."""
        query, key, value = (_split_heads(part, self.heads) for part in self.qkv(tokens).chunk(3, dim=-1))
        return self.proj(_attend(rotation.apply(query), rotation.apply(key), value))  # type: ignore[no-any-return]


class CrossAttention(nn.Module):
    """Attention from the tokens of one view to those of the other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.projq = nn.Linear(width, width)
        self.projk = nn.Linear(width, width)
        self.projv = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, other: Tensor, rotation: Rotation, other_rotation: Rotation) -> Tensor:
        """Gather from ``other`` (B, L', C); each side is rotated by its own token grid."""
        query = rotation.apply(_split_heads(self.projq(tokens), self.heads))
        key = other_rotation.apply(_split_heads(self.projk(other), self.heads))
        return self.proj(_attend(query, key, _split_heads(self.projv(other), self.heads)))  # type: ignore[no-any-return]


class EncoderBlock(nn.Module):
    """Pre-norm block: self-attention, then MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.mlp = Mlp(width)

    def forward(self, tokens: Tensor, rotation: Rotation) -> Tensor:
        """Apply the block."""
        tokens = tokens + self.attn(self.norm1(tokens), rotation)
        return tokens + self.mlp(self.norm2(tokens))  # type: ignore[no-any-return]


class DecoderBlock(nn.Module):
    """Pre-norm block: self-attention, attention to the other view, then MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.norm_y = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.cross_attn = CrossAttention(width, heads)
        self.norm3 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.mlp = Mlp(width)

    def attend_self(self, tokens: Tensor, rotation: Rotation) -> Tensor:
        """Apply the part that knows nothing of the other view."""
        return tokens + self.attn(self.norm1(tokens), rotation)  # type: ignore[no-any-return]

    def attend_other(self, tokens: Tensor, other: Tensor, rotation: Rotation, other_rotation: Rotation) -> Tensor:
        """Apply the rest to what ``attend_self`` gave; ``other`` is what the other view's previous block gave."""
        crossed = self.cross_attn(self.norm2(tokens), self.norm_y(other), rotation, other_rotation)
        tokens = tokens + crossed
        return tokens + self.mlp(self.norm3(tokens))  # type: ignore[no-any-return]


def _split_heads(tokens: Tensor, heads: int) -> Tensor:
    return tokens.view(*tokens.shape[:2], heads, -1).transpose(1, 2)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    # softmax(Q K^T / sqrt(head_dim)) V, heads side by side again
    return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
