"""Learned position tables, resized to the grid of patches at hand."""

import math

from torch import Tensor
from torch.nn import functional


def resize_positions(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Resize a square table (1, side * side, C), row by row, to (1, h * w, C) by bicubic interpolation.

    Upstream leaves the side network's table alone whenever the number of tokens happens to agree (32 x 50 patches
    have as many as 40 x 40); here only where the grid itself agrees.
    """
    side = math.isqrt(table.shape[1])
    if grid == (side, side):
        return table
    square = table.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    resized = functional.interpolate(square, grid, mode="bicubic", align_corners=False)
    return resized.flatten(2).transpose(1, 2)
