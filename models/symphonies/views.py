"""What the network is shown, and where its cells and the pixels' points are."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import UnusableInput
from models.symphonies.config import GRID_SHAPE, SymphoniesConfig

NEAREST_M = 1e-3
P = ParamSpec("P")
T = TypeVar("T")


def in_full_precision(geometry: Callable[P, T]) -> Callable[P, T]:
    """Keep a function out of mixed precision: eight bits of a coordinate are not enough for 640 pixels."""

    @functools.wraps(geometry)
    def exact(*arguments: P.args, **named: P.kwargs) -> T:
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            return geometry(*arguments, **named)

    return exact


@dataclass(frozen=True)
class Views:
    """B pictures with their cameras and grids.

    rgb: (B, 3, H, W) uint8. depth: (B, H, W) float32, z-depth in metres, 0 = no value.
    intrinsics: (B, 3, 3), pixels of the H x W picture, pixel centres at integers + 0.5.
    camera_to_world: (B, 4, 4), metres. origin: (B, 3), corner of voxel (0, 0, 0), metres.
    """

    rgb: Tensor
    depth: Tensor
    intrinsics: Tensor
    camera_to_world: Tensor
    origin: Tensor

    def to(self, device: torch.device) -> "Views":
        """Return the views on a device."""
        return Views(*(getattr(self, field.name).to(device) for field in fields(self)))

    def check(self) -> None:
        """Make sure that the network can be shown these.

        Raises:
            UnusableInput: shapes that do not belong together, cameras that are not finite, a picture without any depth.
        """
        if self.rgb.ndim != 4 or self.rgb.shape[1] != 3:
            raise UnusableInput(f"rgb has shape {tuple(self.rgb.shape)} instead of (B, 3, height, width)")
        batch, _, height, width = self.rgb.shape
        wanted = {"depth": (batch, height, width), "intrinsics": (batch, 3, 3), "camera_to_world": (batch, 4, 4)}
        for name, shape in {**wanted, "origin": (batch, 3)}.items():
            if getattr(self, name).shape != shape:
                raise UnusableInput(f"{name} has shape {tuple(getattr(self, name).shape)} instead of {shape}")
            if name != "depth" and not getattr(self, name).isfinite().all():
                raise UnusableInput(f"{name} holds values that are not finite")
        blind = torch.nonzero(~(self.depth > 0).flatten(1).any(dim=1)).flatten().tolist()
        if blind:
            raise UnusableInput(f"pictures {blind} of the batch have no depth; the network lifts pixels by their depth")


def lift(views: Views, config: SymphoniesConfig) -> Tensor:
    """Return the cell (B, H, W) int64, in C order of (x, y, z), of every pixel's point; -1 for none or outside."""
    x, y, z = config.cells
    position = lifted_points(views).sub_(views.origin[:, :, None, None]).div_(config.cell_size)
    cells = position.floor_() if config.lifting == "floor" else position.sub_(0.5).trunc_()
    inside = views.depth > 0
    for axis, side in enumerate((x, y, z)):
        inside &= (cells[:, axis] >= 0) & (cells[:, axis] < side)
    # C order: i = (x Y + y) Z + z
    index = (cells[:, 0] * y + cells[:, 1]) * z + cells[:, 2]
    return torch.where(inside, index, -1).long()


@in_full_precision
def lifted_points(views: Views) -> Tensor:
    """Return the points (B, 3, H, W) in metres that the pixels show; pixels without depth give the camera's place."""
    _, height, width = views.depth.shape
    like = views.intrinsics
    columns = views.camera_to_world[:, :3, :3] @ torch.linalg.inv(like)
    across, down, ahead = (columns[:, :, i, None, None] for i in range(3))
    u, v = (torch.arange(side, device=like.device) + 0.5 for side in (width, height))
    # X = depth R K^-1 (u, v, 1) + t, column by column of R K^-1
    rays: Tensor = across * u + (down * v[:, None] + ahead)
    return rays.mul_(views.depth[:, None]).add_(views.camera_to_world[:, :3, 3, None, None])


def hit(index: Tensor, count: int) -> Tensor:
    """Return which of ``count`` cells (B, count) occur in ``index`` (B, n), -1 being none."""
    marks = torch.zeros(len(index), count + 1, dtype=torch.bool, device=index.device)
    marks.scatter_(1, torch.where(index < 0, count, index), value=True)
    return marks[:, :count]


@in_full_precision
def project(views: Views, config: SymphoniesConfig) -> tuple[Tensor, Tensor]:
    """Project the centres of all N cells: places (B, N, 2) in the picture, 0..1 across and down, and in view (B, N)."""
    world_to_camera = torch.linalg.inv(views.camera_to_world)
    centres = cell_centres(config).to(views.origin) + views.origin[:, None]
    # K R^T (X - t), and its first two entries over its third
    in_camera = centres @ world_to_camera[:, :3, :3].transpose(1, 2) + world_to_camera[:, None, :3, 3]
    in_front = in_camera[..., 2] > NEAREST_M
    pixels = in_camera @ views.intrinsics.transpose(1, 2)
    height, width = views.depth.shape[1:]
    places = pixels[..., :2] / torch.where(in_front, pixels[..., 2], 1)[..., None] / pixels.new_tensor([width, height])
    return places, in_front & ((places >= 0) & (places < 1)).all(dim=-1)


def cell_centres(config: SymphoniesConfig) -> Tensor:
    """Return the centres (N, 3) of the cells, metres from the grid's corner."""
    axes = [(torch.arange(side) + 0.5) * config.cell_size for side in config.cells]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, 3)


def surface_voxels(views: Views) -> Tensor:
    """Return the voxels (B, 1, 60, 60, 36) that pixels' points fall into, 1 or 0, whatever the size of the cells."""
    x, y, z = GRID_SHAPE
    index = lift(views, SymphoniesConfig()).flatten(1)
    return hit(index, x * y * z).reshape(-1, 1, x, y, z).to(views.depth)


def resized(views: Views, size: tuple[int, int]) -> tuple[Tensor, Views]:
    """Return pictures (B, 3, h, w) in 0..1 of a size, and the views with depth and camera of that size."""
    height, width = views.depth.shape[1:]
    rgb = views.rgb.float() / 255
    if size == (height, width):
        return rgb, views
    rgb = functional.interpolate(rgb, size, mode="bilinear", align_corners=False, antialias=True)
    depth = functional.interpolate(views.depth[:, None], size, mode="nearest-exact")[:, 0]
    scale = views.intrinsics.new_tensor([size[1] / width, size[0] / height, 1.0])
    return rgb, Views(views.rgb, depth, views.intrinsics * scale[:, None], views.camera_to_world, views.origin)
