"""Colours of wood and cloth, and materials drawn from them."""

import numpy as np

from pipeline.tours.materials import Colour, Material

Rng = np.random.Generator


WOODS: tuple[Colour, ...] = (
    (0.36, 0.2, 0.1),
    (0.5, 0.33, 0.18),
    (0.2, 0.1, 0.06),
    (0.62, 0.48, 0.32),
    (0.56, 0.46, 0.36),
)


CLOTHS: tuple[Colour, ...] = (
    (0.15, 0.2, 0.3),
    (0.4, 0.12, 0.1),
    (0.35, 0.33, 0.28),
    (0.12, 0.25, 0.17),
    (0.5, 0.38, 0.2),
    (0.3, 0.3, 0.35),
)


BRIGHT: tuple[Colour, ...] = (
    (0.7, 0.55, 0.1),
    (0.65, 0.2, 0.12),
    (0.12, 0.4, 0.45),
    (0.7, 0.68, 0.62),
    (0.35, 0.15, 0.35),
)


def material(rng: Rng, pattern: str, colours: tuple[Colour, ...] = WOODS) -> Material:
    """Draw a material: a colour and an accent of ``colours``, and a seed of its own."""
    colour, accent = (colours[int(i)] for i in rng.choice(len(colours), 2, replace=False))
    shade = float(rng.uniform(0.85, 1.15))
    return Material(pattern, tuple(shade * c for c in colour), accent, int(rng.integers(1 << 30)))  # type: ignore[arg-type]
