"""From what MoGe-2 says to metric points, depth and intrinsics."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.errors import UnusableInput
from models.moge.raw import MogeRaw
from models.moge.solver import own_focal, solve_focal_and_shift

SOLID_FROM = 0.5
"""Probability above which a pixel counts as solid."""


@dataclass(frozen=True)
class MogeViews:
    """Metric geometry of pictures, each by itself; camera axes are x right, y down, z forward.

    points: (B, H, W, 3) float32, metres. depth: (B, H, W), metres along the axis. normal: (B, H, W, 3) or None.
    mask: (B, H, W) bool, solid and before the camera. intrinsics: (B, 3, 3), pixels, centres at + 0.5, principal point
    in the middle. metric_scale: (B,), metres a unit of the raw points, 1 where the network does not say.
    focal: (B,), relative to half the diagonal. shift: (B,), in raw units.
    """

    points: Tensor
    depth: Tensor
    normal: Tensor | None
    mask: Tensor
    intrinsics: Tensor
    metric_scale: Tensor
    focal: Tensor
    shift: Tensor

    @property
    def normalised_intrinsics(self) -> Tensor:
        """Intrinsics (B, 3, 3) of a picture whose sides are 1, as upstream gives them."""
        height, width = self.depth.shape[1:]
        return self.intrinsics / self.intrinsics.new_tensor([[width], [height], [1.0]])


def metric_views(
    raw: MogeRaw,
    *,
    fov_x: float | Tensor | None = None,
    solved: tuple[Tensor, Tensor] | None = None,
    project: bool = True,
    masked: bool = True,
) -> MogeViews:
    """Find the camera of every picture and put its points in metres before it; ``raw`` is left as it is.

    fov_x: horizontal field of view in degrees where it is known, one for all or one a picture (B,). solved: focal and
    shift (B,) of an earlier solution. project: put points on their pixels' rays, instead of keeping the network's x and
    y. masked: points and depth become infinite, normals 0 where the mask is false.

    Raises:
        UnusableInput: a field of view that no camera has.
    """
    solid = torch.ones_like(raw.points[..., 0], dtype=torch.bool) if raw.mask is None else raw.mask > SOLID_FROM
    known = _known_focal(raw.points, fov_x)
    focal, shift = solved or (_solved(raw.points, solid, known) if raw.shifted else _without_shift(raw, solid, known))
    focal, shift = (values.to(raw.points) for values in (focal, shift))
    depth = raw.points[..., 2] + shift[:, None, None] if raw.shifted else _through_lens(raw, solid, focal)
    mask = solid & (depth > 0)
    height, width = depth.shape[1:]
    intrinsics = _intrinsics(focal, height, width)
    points = _rays(intrinsics, height, width) * depth[..., None] if project else _with_depth(raw.points, depth)
    scale = torch.ones_like(focal) if raw.metric_scale is None else raw.metric_scale
    points, depth = points * scale[:, None, None, None], depth * scale[:, None, None]
    normal = raw.normal
    if masked and raw.mask is not None:
        points, depth = points.masked_fill(~mask[..., None], torch.inf), depth.masked_fill(~mask, torch.inf)
        normal = None if normal is None else normal.masked_fill(~mask[..., None], 0.0)
    return MogeViews(points, depth, normal, mask, intrinsics, scale, focal, shift)


def _known_focal(points: Tensor, fov_x: float | Tensor | None) -> list[float | None]:
    """Return the focal length of every picture, relative to half its diagonal, None where it is not given."""
    height, width = points.shape[1:3]
    if fov_x is None:
        return [None] * len(points)
    degrees = torch.as_tensor(fov_x, dtype=torch.float64).flatten().tolist()
    if not all(0 < angle < 180 for angle in degrees) or len(degrees) not in (1, len(points)):
        raise UnusableInput("a horizontal field of view is between 0 and 180 degrees, one for all or one a picture")
    across = width / math.hypot(width, height)
    angles = degrees * len(points) if len(degrees) == 1 else degrees
    return [across / math.tan(math.radians(angle) / 2) for angle in angles]


def _solved(points: Tensor, solid: Tensor, known: list[float | None]) -> tuple[Tensor, Tensor]:
    pairs = [solve_focal_and_shift(*one) for one in zip(points, solid, known, strict=True)]
    focal, shift = torch.tensor(pairs, dtype=torch.float64).unbind(1)
    return focal, shift


def _without_shift(raw: MogeRaw, solid: Tensor, known: list[float | None]) -> tuple[Tensor, Tensor]:
    """Return focal lengths, the points' own where none is given, and shifts of zero."""
    own = _own_focal(raw, solid)
    given = [float(mine) if focal is None else focal for mine, focal in zip(own, known, strict=True)]
    return torch.tensor(given, dtype=torch.float64), torch.zeros(len(given), dtype=torch.float64)


def _through_lens(raw: MogeRaw, solid: Tensor, focal: Tensor) -> Tensor:
    """Return the depth (B, H, W) that points have under other focal lengths (B,) than their own: x and y stay."""
    return raw.points[..., 2] * (focal / _own_focal(raw, solid).to(focal))[:, None, None]


def _own_focal(raw: MogeRaw, solid: Tensor) -> Tensor:
    """Return the focal length (B,) that puts points into their pixels as they are."""
    return torch.tensor([own_focal(*one) for one in zip(raw.points, solid, strict=True)], dtype=torch.float64)


def _intrinsics(focal: Tensor, height: int, width: int) -> Tensor:
    intrinsics = torch.zeros(len(focal), 3, 3, dtype=focal.dtype, device=focal.device)
    # fx W = fy H = f diagonal / 2
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal * (math.hypot(height, width) / 2)
    intrinsics[:, 0, 2], intrinsics[:, 1, 2], intrinsics[:, 2, 2] = width / 2, height / 2, 1
    return intrinsics


def _rays(intrinsics: Tensor, height: int, width: int) -> Tensor:
    """Directions (B, H, W, 3) of the pixels' centres, z = 1."""
    x, y = (torch.arange(side, device=intrinsics.device) + 0.5 - side / 2 for side in (width, height))
    across = (x / intrinsics[:, 0, :1])[:, None].expand(-1, height, -1)
    down = (y / intrinsics[:, 1, 1:2])[:, :, None].expand(-1, -1, width)
    return torch.stack([across, down, torch.ones_like(down)], dim=-1)


def _with_depth(points: Tensor, depth: Tensor) -> Tensor:
    return torch.cat([points[..., :2], depth[..., None]], dim=-1)
