"""What every teacher is."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor


class Teacher(Protocol):
    """A frozen image network.

    name: what it is. width: D, of its features. weights: SHA-256 of its files by name, which decides what is cached.
    """

    name: str
    width: int
    weights: Mapping[str, str]

    def to(self, device: torch.device) -> "Teacher":
        """Move it to a device."""
        ...

    def features(self, rgb: Tensor) -> Tensor:
        """Return features (B, D, h, w) float32 of pictures (B, 3, 480, 640) uint8 RGB."""
        ...
