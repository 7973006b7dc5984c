"""The texture atlas on a torch device: all its levels in one table, looked up between texels and between levels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.tours.atlas import Atlas


@dataclass(frozen=True)
class Textures:
    """table: (texels of all levels, 3) uint8; starts, heights, widths: (levels,) int64, where each level lies."""

    table: Tensor
    starts: Tensor
    heights: Tensor
    widths: Tensor

    @classmethod
    def of(cls, atlas: Atlas, device: torch.device) -> "Textures":
        """Put an atlas on a device."""
        levels = [torch.from_numpy(level).to(device) for level in atlas.levels]
        sizes = torch.tensor([level.shape[:2] for level in levels], device=device)
        counts = sizes.prod(dim=1)
        return cls(
            torch.cat([level.reshape(-1, 3) for level in levels]), counts.cumsum(0) - counts, sizes[:, 0], sizes[:, 1]
        )

    def look_up(self, texels: Tensor, level: Tensor) -> Tensor:
        """Return colours (p, 3) float32 in 0..255 at finest-level ``texels`` (p, 2), blended by ``level`` (p,)."""
        wanted = level.clamp(0, len(self.starts) - 1)
        lower = wanted.floor().long()
        upper = (lower + 1).clamp(max=len(self.starts) - 1)
        share = (wanted - lower)[:, None]
        return (1 - share) * self._between_texels(texels, lower) + share * self._between_texels(texels, upper)

    def _between_texels(self, texels: Tensor, level: Tensor) -> Tensor:
        width, height = self.widths[level], self.heights[level]
        at = texels / (2.0**level)[:, None] - 0.5
        x, y = (at[:, 0].clamp(min=0).minimum(width - 1), at[:, 1].clamp(min=0).minimum(height - 1))
        left, top = x.floor().long(), y.floor().long()
        right, bottom = (left + 1).minimum(width - 1), (top + 1).minimum(height - 1)
        start = self.starts[level]
        a, b, c, d = (
            self.table[start + row * width + column].float()
            for row, column in ((top, left), (top, right), (bottom, left), (bottom, right))
        )
        s, t = (y - top)[:, None], (x - left)[:, None]
        return (1 - s) * ((1 - t) * a + t * b) + s * ((1 - t) * c + t * d)
