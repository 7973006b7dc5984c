"""Which triangle every pixel of many cameras sees, in plain torch: edge functions, tile by tile, nearest wins.

For rays through one point, casting and rasterising are the same sum: with a triangle's corners a, b, c seen from the
camera, a ray d meets it where d . (b x c), d . (c x a) and d . (a x b) have the sign of a . (b x c), at depth
a . (b x c) over their sum (Olano and Greer 1997). These are linear in the pixel, need no clipping at the camera's
plane, and are exactly opposite on both sides of a shared edge, so that nothing shines through.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.tours.views.records import Cameras

COARSE, FINE = 32, 8
"""Sides of the tiles, pixels, that triangles are sorted into before pixels are looked at."""
PAIRS_AT_ONCE = 1 << 16
"""Fine tiles looked at together: bounds memory to about 200 MB."""
VIEWS_AT_ONCE = 8
"""Views drawn together on a GPU, whose time goes into starting work rather than doing it: takes about 1 GB."""
NOTHING = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class Visible:
    """What each pixel sees, all (n, h, w): depth float32 metres, 0 = nothing; triangle int64, -1 = nothing.

    barycentric: (n, h, w, 3) float32, weights of the triangle's corners.
    """

    depth: Tensor
    triangle: Tensor
    barycentric: Tensor


def rasterise(corners: Tensor, cameras: Cameras) -> Visible:
    """Find what ``cameras`` see of triangles ``corners`` (T, 3, 3) float32, metres in the world."""
    together = VIEWS_AT_ONCE if corners.is_cuda else 1
    seen = [_some_views(corners, cameras.rows(slice(i, i + together))) for i in range(0, len(cameras), together)]
    return Visible(
        torch.cat([views.depth for views in seen]),
        torch.cat([views.triangle for views in seen]),
        torch.cat([views.barycentric for views in seen]),
    )


def _some_views(corners: Tensor, cameras: Cameras) -> Visible:
    """Draw the triangles of all views, one view's after another's, into one row of pixels."""
    edges, volume = _edge_functions(corners, cameras)
    canvas = Canvas.empty(cameras, len(corners))
    triangle, tile = _overlapping_tiles(edges, cameras.height, cameras.width)
    for some in range(0, len(triangle), PAIRS_AT_ONCE):
        rows = slice(some, some + PAIRS_AT_ONCE)
        canvas.draw(edges, volume, triangle[rows], tile[rows])
    return canvas.read_out(edges, volume)


def _edge_functions(corners: Tensor, cameras: Cameras) -> tuple[Tensor, Tensor]:
    """Return edge functions (n * T, 3, 3) over (x, y, 1), positive inside, and volumes (n * T,); 0 = edge on."""
    rotation, centre = cameras.camera_to_world[:, :3, :3], cameras.camera_to_world[:, :3, 3]
    placed = (corners.double() - centre[:, None, None]) @ rotation[:, None]
    a, b, c = placed.flatten(0, 1).unbind(dim=1)
    normals = torch.stack([torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)], dim=1)
    volume = (a * normals[:, 0]).sum(dim=-1)
    to_rays = torch.linalg.inv(cameras.intrinsics.double()).repeat_interleave(len(corners), dim=0)
    edges = normals @ to_rays * volume.sign()[:, None, None]
    return edges.float(), volume.abs().float()


def _overlapping_tiles(edges: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return pairs of a triangle (p,) and the corner (p, 2) of a fine tile that it may cover."""
    triangle = torch.arange(len(edges), device=edges.device)
    corner = torch.zeros(len(edges), 2, dtype=torch.int64, device=edges.device)
    size = max(height, width)
    triangle, corner = _touching(edges, triangle, corner, size)
    for side in (COARSE, FINE):
        steps = torch.arange(0, size, side, device=edges.device)
        offsets = torch.cartesian_prod(steps, steps)
        tiles = (corner[:, None] + offsets).reshape(-1, 2)
        inside = (tiles[:, 0] < width) & (tiles[:, 1] < height)
        candidates = triangle.repeat_interleave(len(offsets))[inside]
        triangle, corner = _touching(edges, candidates, tiles[inside], side)
        size = side
    return triangle, corner


def _touching(edges: Tensor, triangle: Tensor, corner: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Keep the pairs whose tile is not wholly outside one edge."""
    of_pair = edges[triangle]
    low = corner[:, None, :] + 0.5
    reach = torch.where(of_pair[..., :2] > 0, low + side - 1, low)
    most = (of_pair[..., :2] * reach).sum(dim=-1) + of_pair[..., 2]
    kept = (most >= 0).all(dim=-1) & (most > 0).any(dim=-1)
    return triangle[kept], corner[kept]


@dataclass(frozen=True)
class Canvas:
    """The pixels of n views: keys (n * h * w,) int64 hold the nearest depth's bits above, its triangle below.

    triangles: number of triangles of each view; triangle t of view v is t + v * triangles.
    """

    keys: Tensor
    triangles: int
    height: int
    width: int

    @classmethod
    def empty(cls, cameras: Cameras, triangles: int) -> "Canvas":
        """Return pixels that see nothing."""
        pixels = len(cameras) * cameras.height * cameras.width
        keys = torch.full((pixels,), NOTHING, dtype=torch.int64, device=cameras.intrinsics.device)
        return cls(keys, triangles, cameras.height, cameras.width)

    def draw(self, edges: Tensor, volume: Tensor, triangle: Tensor, tile: Tensor) -> None:
        """Let pairs of a triangle (p,) and a fine tile (p, 2) cover what is farther away."""
        steps = torch.arange(FINE, device=self.keys.device)
        x, y = tile[:, :1] + steps.repeat(FINE), tile[:, 1:] + steps.repeat_interleave(FINE)
        inside_of = [_at(edges[triangle, i], x, y) for i in range(3)]
        total = inside_of[0] + inside_of[1] + inside_of[2]
        hit = (inside_of[0] >= 0) & (inside_of[1] >= 0) & (inside_of[2] >= 0) & (total > 0)
        pair, place = (hit & (x < self.width) & (y < self.height)).nonzero(as_tuple=True)
        depth = volume[triangle[pair]] / total[pair, place]
        real = depth > 0
        pair, place, depth = pair[real], place[real], depth[real]
        pixel = (triangle[pair] // self.triangles * self.height + y[pair, place]) * self.width + x[pair, place]
        self.keys.scatter_reduce_(0, pixel, (depth.view(torch.int32).long() << 32) | triangle[pair], "amin")

    def read_out(self, edges: Tensor, volume: Tensor) -> Visible:
        """Return what the pixels see."""
        found = self.keys != NOTHING
        triangle = torch.where(found, self.keys & 0xFFFFFFFF, 0)
        pixel = torch.arange(len(self.keys), device=self.keys.device)
        x, y = pixel % self.width, pixel // self.width % self.height
        at = torch.stack([x + 0.5, y + 0.5, torch.ones_like(x)], dim=-1)
        weights = (edges[triangle] @ at[:, :, None])[..., 0]
        total = weights.sum(dim=-1)
        depth = torch.where(found, volume[triangle] / total, 0)
        shape = (-1, self.height, self.width)
        return Visible(
            depth.reshape(shape),
            torch.where(found, triangle % self.triangles, -1).reshape(shape),
            (weights / total[:, None]).reshape(*shape, 3),
        )


def _at(edge: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Evaluate edge functions (p, 3) at the centres of pixels (p, m)."""
    return edge[:, :1] * (x + 0.5) + edge[:, 1:2] * (y + 0.5) + edge[:, 2:]
