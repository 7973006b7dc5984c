"""Takes pictures of a lit house, with the truth of every pixel."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import ray_directions
from pipeline.tours.painter import sky_colour
from pipeline.tours.views.lit_house import LitHouse
from pipeline.tours.views.rasterise import Visible, rasterise
from pipeline.tours.views.records import Cameras, RenderedViews
from pipeline.tours.views.textures import Textures

RenderBackend = Literal["open3d", "torch"]


class ViewRenderer:
    """Renders views of one house on a device; ``open3d`` looks rays up on the CPU whatever the device.

    backend: None takes the quicker one, ``torch`` on a GPU and ``open3d`` on a CPU.
    """

    def __init__(
        self, house: LitHouse, device: torch.device | str = "cpu", backend: RenderBackend | None = None
    ) -> None:
        self.device = torch.device(device)
        self.backend = backend or ("torch" if self.device.type == "cuda" else "open3d")
        self._house = house
        mesh = house.mesh
        self._corners = self._put(mesh.vertices[mesh.triangles])
        self._texels, self._normals = self._put(mesh.texels), self._put(mesh.normals)
        self._texel_size, self._labels = self._put(mesh.texel_size), self._put(mesh.labels)
        self._instances = self._put(mesh.instances.astype(np.int32))
        self._textures = Textures.of(house.atlas, self.device)

    def render(self, cameras: Cameras) -> RenderedViews:
        """Return what ``cameras`` see, on the renderer's device."""
        visible = self._cast(cameras) if self.backend == "open3d" else rasterise(self._corners, cameras.to(self.device))
        found = visible.triangle >= 0
        triangle = visible.triangle.clamp(min=0)
        placed = cameras.to(self.device)
        return RenderedViews(
            pictures=self._paint(visible, triangle, placed),
            depth=visible.depth,
            labels=torch.where(found, self._labels[triangle], int(SemanticClass.UNKNOWN)),
            instances=torch.where(found, self._instances[triangle], 0),
            intrinsics=placed.intrinsics,
            camera_to_world=placed.camera_to_world,
        )

    def _put(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _cast(self, cameras: Cameras) -> Visible:
        """Find what the pixels see with the ray caster that tours are rendered with."""
        height, width = cameras.height, cameras.width
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        pixels = np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32)
        depth = np.zeros((len(cameras), height * width), np.float32)
        triangle = np.full(depth.shape, -1, np.int64)
        weights = np.zeros((*depth.shape, 3), np.float32)
        intrinsics, poses = cameras.intrinsics.cpu().numpy(), cameras.camera_to_world.cpu().numpy()
        for i, (camera, pose) in enumerate(zip(intrinsics, poses, strict=True)):
            hits = self._house.caster.cast(pose[:3, 3].astype(np.float32), ray_directions(camera, pose, pixels))
            depth[i, hits.found], triangle[i, hits.found] = hits.distance[hits.found], hits.triangle[hits.found]
            weights[i, :, 1:], weights[i, :, 0] = hits.barycentric, 1 - hits.barycentric.sum(axis=1)
        shape = (len(cameras), height, width)
        return Visible(*(self._put(a.reshape(*shape, *a.shape[2:])) for a in (depth, triangle, weights)))

    def _paint(self, visible: Visible, triangle: Tensor, cameras: Cameras) -> Tensor:
        """Return pictures (n, 3, h, w) uint8: texels as large as the pixels, the sky where nothing is."""
        directions = _directions(cameras)
        texels = (self._texels[triangle] * visible.barycentric[..., None]).sum(dim=-2)
        cosine = (self._normals[triangle] * directions).sum(dim=-1).abs().clamp(min=0.02).sqrt()
        pixel = visible.depth / cameras.intrinsics[:, 0, 0, None, None] / self._texel_size[triangle]
        level = (pixel / cosine).clamp(min=1e-3).log2()
        colours = self._textures.look_up(texels.reshape(-1, 2), level.reshape(-1)).reshape(*triangle.shape, 3)
        missed = visible.triangle < 0
        if missed.any():
            colours[missed] = self._put(sky_colour(self._house.sky, directions[missed].cpu().numpy()))
        return (colours + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 3, 1, 2).contiguous()


def _directions(cameras: Cameras) -> Tensor:
    """World directions (n, h, w, 3) float32 of all pixels, one unit long along the camera's axis."""
    device = cameras.intrinsics.device
    y, x = torch.meshgrid(
        torch.arange(cameras.height, device=device) + 0.5,
        torch.arange(cameras.width, device=device) + 0.5,
        indexing="ij",
    )
    rays = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ torch.linalg.inv(cameras.intrinsics)[:, None].mT
    turned: Tensor = rays @ cameras.camera_to_world[:, None, :3, :3].float().mT
    return turned
