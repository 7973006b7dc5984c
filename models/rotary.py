"""Rotary position embedding in two dimensions (RoPE100 of CroCo, Weinzaepfel et al., ICCV 2023)."""

from dataclasses import dataclass

import torch
from torch import Tensor

_BASE_FREQUENCY = 100.0


@dataclass(frozen=True)
class Rotation:
    """Cosines and sines of the rotary embedding of L tokens: (L, head_dim) float32 each."""

    cos: Tensor
    sin: Tensor

    @classmethod
    def of_grid(cls, rows: int, columns: int, head_dim: int, device: torch.device) -> "Rotation":
        """Angles of a token grid in row-major order; the first token is at (0, 0)."""
        row, column = torch.meshgrid(
            torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"
        )
        return cls.of_places(torch.stack([row, column], dim=-1).reshape(-1, 2), head_dim)

    @classmethod
    def of_places(cls, places: Tensor, head_dim: int) -> "Rotation":
        """Angles of tokens at places (L, 2), row and column: the first half of a head turns with the row."""
        quarter = head_dim // 4
        # angle of pair k at row or column p: p 100^(-k / quarter)
        rate = _BASE_FREQUENCY ** -(torch.arange(quarter, device=places.device, dtype=torch.float64) / quarter)
        by_row, by_column = places[:, :1] * rate, places[:, 1:] * rate
        angle = torch.cat([by_row, by_row, by_column, by_column], dim=-1)
        return cls(angle.cos().float(), angle.sin().float())

    def repeated(self, times: int) -> "Rotation":
        """Angles of so many token sequences behind one another."""
        return Rotation(self.cos.repeat(times, 1), self.sin.repeat(times, 1))

    def apply(self, heads: Tensor) -> Tensor:
        """Rotate queries or keys (B, heads, L, head_dim); element k of a half pairs with k + a quarter."""
        # (a, b) turns into (a cos - b sin, b cos + a sin)
        a, b, c, d = heads.chunk(4, dim=-1)
        return (heads * self.cos + torch.cat([-b, a, -d, c], dim=-1) * self.sin).to(heads.dtype)
