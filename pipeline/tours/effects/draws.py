"""Random numbers of one purpose: what one effect draws moves nothing that another one, or the house, draws."""

import zlib

import numpy as np


def generator(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """Return the generator of a purpose in the tour of a seed, of its ``number``-th shot or frame where it has many."""
    return np.random.default_rng((seed, zlib.crc32(purpose.encode()), number))


def within(draw: np.random.Generator, ends: tuple[float, float]) -> float:
    """Draw evenly between both ends."""
    return float(draw.uniform(*ends))
