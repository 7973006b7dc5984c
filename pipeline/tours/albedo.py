"""Paints what a surface is made of: the pattern of its material, of whichever houses."""

import numpy as np

from pipeline.contract.arrays import Floats
from pipeline.tours.held_out.patterns import HELD_OUT_PATTERNS
from pipeline.tours.materials import PATTERNS, Brush, Material

ALL_PATTERNS = {**PATTERNS, **HELD_OUT_PATTERNS}


def paint(material: Material, size: tuple[float, float], start: tuple[float, float], shape: tuple[int, int]) -> Floats:
    """Return the albedo (h, w, 3) float32 in [0, 1] of ``size`` metres of a surface, from ``start`` on."""
    rows = (np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0] * size[0] + start[0]
    columns = (np.arange(shape[1], dtype=np.float32) + 0.5) / shape[1] * size[1] + start[1]
    u, v = np.meshgrid(columns, rows)
    brush = Brush(u.astype(np.float32), v.astype(np.float32), size, material)
    return np.asarray(np.clip(ALL_PATTERNS[material.pattern](brush), 0.005, 1), np.float32)
