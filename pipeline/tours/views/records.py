"""Where views are taken from, and what they show."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Cameras:
    """n cameras of one picture size.

    intrinsics: (n, 3, 3) float32, pixels of the picture, no skew. camera_to_world: (n, 4, 4) float64, metres.
    height, width: of the pictures, pixels.
    """

    intrinsics: Tensor
    camera_to_world: Tensor
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.intrinsics)

    def to(self, device: torch.device) -> "Cameras":
        """Return the cameras on another device."""
        return Cameras(self.intrinsics.to(device), self.camera_to_world.to(device), self.height, self.width)

    def rows(self, rows: slice) -> "Cameras":
        """Return some of the cameras."""
        return Cameras(self.intrinsics[rows], self.camera_to_world[rows], self.height, self.width)


@dataclass(frozen=True)
class RenderedViews:
    """What n cameras see.

    pictures: (n, 3, h, w) uint8 RGB. depth: (n, h, w) float32, z-depth in metres, 0 = sky.
    labels: (n, h, w) uint8, 255 outdoors. instances: (n, h, w) int32, 0 = none.
    intrinsics: (n, 3, 3) float32. camera_to_world: (n, 4, 4) float64.
    """

    pictures: Tensor
    depth: Tensor
    labels: Tensor
    instances: Tensor
    intrinsics: Tensor
    camera_to_world: Tensor

    def __len__(self) -> int:
        return len(self.pictures)
