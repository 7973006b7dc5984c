"""What a network of MoGe's kind says of pictures, and the pictures it says it of."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.errors import UnusableInput


@dataclass(frozen=True)
class MogeRaw:
    """What the network says about pictures, before focal length and shift are known.

    points: (B, H, W, 3) float32, right but for one shift along z and one scale. normal: (B, H, W, 3), unit, towards the
    camera. mask: (B, H, W), probability that a pixel shows something solid. metric_scale: (B,), metres a unit of the
    points. Camera axes are x right, y down, z forward. What was not asked for, or has no head, is None.
    shifted: whether points are short of a shift. If not, they need none, and with another focal length than their own
    z changes by its factor while x and y stay. scale_sigma: (B,), standard deviation of the logarithm of the scale.
    """

    points: Tensor
    normal: Tensor | None
    mask: Tensor | None
    metric_scale: Tensor | None
    shifted: bool = True
    scale_sigma: Tensor | None = None


def picture_coordinates(size: tuple[int, int], picture: tuple[int, int], device: torch.device) -> Tensor:
    """Return where cells of a map (h, w) lie on the picture's plane: (h, w, 2), x and y, a corner 1 from the middle.

    picture: (height, width), whose shape counts, and not that of the map.
    """
    height, width = picture
    diagonal = (height**2 + width**2) ** 0.5
    v, u = (
        ((2 * torch.arange(cells, device=device, dtype=torch.float64) + 1) / cells - 1) * (side / diagonal)
        for cells, side in zip(size, (height, width), strict=True)
    )
    return torch.stack(torch.meshgrid(u, v, indexing="xy"), dim=-1).float()


def check_pictures(images: Tensor) -> None:
    """Make sure that these are pictures (B, 3, H, W) of floats.

    Raises:
        UnusableInput: another shape, or values that are not finite.
    """
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point() or 0 in images.shape:
        raise UnusableInput(f"pictures must be (B, 3, H, W) floats in [0, 1], not {tuple(images.shape)} {images.dtype}")
    if not images.isfinite().all():
        raise UnusableInput("pictures hold values that are not finite")
