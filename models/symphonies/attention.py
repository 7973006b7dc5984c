"""Attention of the network: deformable over maps (Zhu et al., ICLR 2021), by bilinear sampling, and plain."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class DeformableAttention(nn.Module):
    """Each query reads a few points, at learned offsets from its reference, of one or more maps.

    Names and start values as in mmcv. As there, the query that came in is added to what was read; Symphonies adds its
    own residual on top of that.
    """

    def __init__(self, channels: int, heads: int, levels: int, points: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.levels, self.points = heads, levels, points
        self.sampling_offsets = nn.Linear(channels, heads * levels * points * 2)
        self.attention_weights = nn.Linear(channels, heads * levels * points)
        self.value_proj = nn.Linear(channels, channels)
        self.output_proj = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)
        self._start()

    def forward(self, query: Tensor, position: Tensor | None, reference: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Read maps (B, C, h, w), one a level, for queries (B, L, C): (B, L, C).

        reference: (B, L, levels or 1, 2), x and y in 0..1.
        """
        positioned = query if position is None else query + position
        shape = (*query.shape[:2], self.heads, self.levels, self.points)
        offsets = self.sampling_offsets(positioned).view(*shape, 2)
        weights = self.attention_weights(positioned).view(*shape[:3], -1).softmax(dim=-1).view(shape)
        # sum over levels l and points k of a_lk W V_l(r + o_lk / (w_l, h_l))
        read = query.new_zeros(())
        for level, values in enumerate(maps):
            size = offsets.new_tensor([values.shape[3], values.shape[2]])
            anchor = reference[:, :, min(level, reference.shape[2] - 1)]
            places = anchor[:, :, None, None] + offsets[:, :, :, level] / size
            read = read + self._read(values, places, weights[:, :, :, level])
        return self.dropout(self.output_proj(read)) + query  # type: ignore[no-any-return]

    def _read(self, values: Tensor, places: Tensor, weights: Tensor) -> Tensor:
        """Sample a map (B, C, h, w) at places (B, L, heads, points, 2) and sum by weights (B, L, heads, points)."""
        batch, channels, height, width = values.shape
        projected = self.value_proj(values.flatten(2).transpose(1, 2)).transpose(1, 2)
        by_head = projected.reshape(batch * self.heads, channels // self.heads, height, width)
        # grid_sample counts from -1 to 1 between the outer edges of the map
        grid = (2 * places - 1).transpose(1, 2).flatten(0, 1)
        sampled = functional.grid_sample(by_head.float(), grid.float(), align_corners=False)
        summed = (sampled * weights.transpose(1, 2).flatten(0, 1)[:, None]).sum(dim=-1)
        return summed.view(batch, channels, -1).transpose(1, 2)

    def _start(self) -> None:
        nn.init.zeros_(self.sampling_offsets.weight)
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.attention_weights.bias)
        for linear in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        angles = torch.arange(self.heads) * (2 * math.pi / self.heads)
        directions = torch.stack([angles.cos(), angles.sin()], dim=-1)
        directions = directions / directions.abs().amax(dim=-1, keepdim=True)
        reach = torch.arange(1, self.points + 1)[None, None, :, None]
        offsets = directions[:, None, None] * reach.expand(self.heads, self.levels, -1, -1)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(offsets.flatten())


class DeformableLayer(nn.Module):
    """Deformable attention and a feed-forward part, each behind a norm of the query and with a residual."""

    def __init__(self, channels: int, heads: int, levels: int, points: int, dropout: float, ratio: int) -> None:
        """Make a layer; ``ratio``: width of the feed-forward part over ``channels``, 0 for none."""
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = DeformableAttention(channels, heads, levels, points, dropout)
        self.feed_forward = feed_forward(channels, ratio)

    def forward(self, query: Tensor, position: Tensor | None, reference: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """As ``DeformableAttention``."""
        query = query + self.attn(self.norm1(query), position, reference, maps)
        return query if self.feed_forward is None else query + self.feed_forward(query)


class AttentionLayer(nn.Module):
    """Plain attention from queries to keys, and a feed-forward part."""

    def __init__(self, channels: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = nn.MultiheadAttention(channels, heads, batch_first=True)
        self.feed_forward = feed_forward(channels, ratio)

    def forward(self, query: Tensor, position: Tensor, keys: Tensor, key_position: Tensor) -> Tensor:
        """Let queries (B, L, C) attend to keys (B, K, C): (B, L, C)."""
        positioned = self.norm1(query) + position
        query = query + self.attn(positioned, keys + key_position, keys, need_weights=False)[0]
        return query if self.feed_forward is None else query + self.feed_forward(query)


def feed_forward(channels: int, ratio: int) -> nn.Sequential | None:
    """Return norm, two linear layers and a GELU between them; None for ratio 0."""
    if ratio == 0:
        return None
    wide = channels * ratio
    return nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, wide), nn.GELU(), nn.Linear(wide, channels))
