"""Paints what a surface is made of: the pattern of its material, of whichever houses."""

from collections.abc import Iterator

import numpy as np

from pipeline.contract.arrays import Floats
from pipeline.tours.held_out.patterns import HELD_OUT_PATTERNS
from pipeline.tours.materials import PATTERNS, Brush, Material

ALL_PATTERNS = {**PATTERNS, **HELD_OUT_PATTERNS}


STRIP_TEXELS = 1 << 16
"""Texels that are painted at once: what a pattern mixes stays in the processor's cache."""


def paint(material: Material, size: tuple[float, float], start: tuple[float, float], shape: tuple[int, int]) -> Floats:
    """Return the albedo (h, w, 3) float32 in [0, 1] of ``size`` metres of a surface, from ``start`` on."""
    return np.concatenate([strip for _, strip in strips(material, size, start, shape)])


def strips(
    material: Material, size: tuple[float, float], start: tuple[float, float], shape: tuple[int, int]
) -> Iterator[tuple[slice, Floats]]:
    """Yield what ``paint`` returns some rows at a time, with which rows they are."""
    rows = (np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0] * size[0] + start[0]
    columns = (np.arange(shape[1], dtype=np.float32) + 0.5) / shape[1] * size[1] + start[1]
    step = max(1, STRIP_TEXELS // shape[1])
    for top in range(0, shape[0], step):
        strip = slice(top, min(top + step, shape[0]))
        u, v = np.meshgrid(columns, rows[strip])
        brush = Brush(u.astype(np.float32), v.astype(np.float32), size, material)
        yield strip, np.asarray(np.clip(ALL_PATTERNS[material.pattern](brush), 0.005, 1), np.float32)
