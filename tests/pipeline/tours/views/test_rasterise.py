import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.tours.camera import pose
from pipeline.tours.views import Cameras, LitHouse
from pipeline.tours.views.rasterise import _some_views, rasterise

from .cameras import one_camera


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_weights_of_the_corners_sum_to_one_and_give_the_point_that_is_seen(seed: int):
    corners = torch.from_numpy(np.random.default_rng(seed).normal(0, 2, (12, 3, 3)).astype(np.float32))
    camera = one_camera()
    seen = rasterise(corners, camera)
    found = seen.triangle[0] >= 0
    assume(found.any())
    weights = seen.barycentric[0][found]
    assert torch.allclose(weights.sum(dim=-1), torch.ones(len(weights)), atol=1e-4)
    points = (weights[..., None] * corners[seen.triangle[0][found]]).sum(dim=1).double()
    world = camera.camera_to_world[0]
    depth = ((points - world[:3, 3]) @ world[:3, :3])[:, 2]
    # Weights of a triangle seen edge on are quotients of small float32 numbers.
    assert ((depth - seen.depth[0][found]).abs() < 1e-2 * depth.abs() + 1e-3).float().mean() > 0.98


def test_the_two_halves_of_a_square_leave_no_gap_and_do_not_overlap():
    a, b, c, d = (torch.tensor([5.0, y, z]) for y, z in ((-2, -2), (2, -2), (2, 2), (-2, 2)))
    triangles = torch.stack([torch.stack([a, b, c]), torch.stack([a, c, d])])
    intrinsics = torch.tensor([[[10.0, 0, 6], [0, 10.0, 6], [0, 0, 1]]])
    ahead = Cameras(intrinsics, torch.from_numpy(pose(np.zeros(3), 0.0, 0.0, 0.0))[None], 12, 12)
    seen = rasterise(triangles, ahead)
    # Two metres five metres away are four pixels either side of the middle.
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[2:10, 2:10] = True
    assert torch.equal(seen.triangle[0] >= 0, inside)
    assert torch.allclose(seen.depth[0][inside], torch.tensor(5.0))
    assert (seen.depth[0][~inside] == 0).all()


def test_triangles_behind_the_camera_and_edge_on_are_not_seen():
    behind = torch.tensor([[-5.0, -2, -2], [-5, 2, -2], [-5, 0, 2]])
    edge_on = torch.tensor([[1.0, 0, 0], [2, 0, 0], [3, 0, 0]])
    intrinsics = torch.tensor([[[10.0, 0, 6], [0, 10.0, 6], [0, 0, 1]]])
    ahead = Cameras(intrinsics, torch.from_numpy(pose(np.zeros(3), 0.0, 0.0, 0.0))[None], 12, 12)
    assert (rasterise(torch.stack([behind, edge_on]), ahead).triangle == -1).all()


def test_a_triangle_that_passes_behind_the_camera_is_seen_where_it_is_before_it():
    floor = torch.tensor([[[-50.0, -50, -1], [50, -50, -1], [0, 90, -1]]])
    intrinsics = torch.tensor([[[10.0, 0, 6], [0, 10.0, 6], [0, 0, 1]]])
    ahead = Cameras(intrinsics, torch.from_numpy(pose(np.zeros(3), 0.0, 0.0, 0.0))[None], 12, 12)
    depth = rasterise(floor, ahead).depth[0]
    rows = torch.arange(6, 12) + 0.5
    # A floor one metre below: a row v pixels below the horizon meets it focal / v metres ahead.
    assert torch.allclose(depth[6:, 6], 10 / (rows - 6), rtol=1e-4)
    assert (depth[:6] == 0).all()


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_rasteriser_finds_the_nearest_triangle_of_every_ray(seed: int):
    rng = np.random.default_rng(seed)
    corners = torch.from_numpy(rng.normal(0, 2, (12, 3, 3)).astype(np.float32))
    camera = one_camera()
    seen = rasterise(corners, camera)
    depth, triangle, margin = nearest_by_moller_trumbore(corners.double().numpy(), camera)
    clear = margin > 1e-3
    assert np.array_equal(seen.triangle[0].numpy()[clear], triangle[clear])
    assert np.allclose(seen.depth[0].numpy()[clear], depth[clear], rtol=1e-3)


def test_views_drawn_together_are_those_drawn_one_by_one(house: LitHouse, cameras: Cameras):
    corners = torch.from_numpy(house.mesh.vertices[house.mesh.triangles])
    some = cameras.rows(slice(0, 3))
    together, apart = _some_views(corners, some), rasterise(corners, some)
    assert torch.equal(together.triangle, apart.triangle)
    assert torch.equal(together.depth, apart.depth)
    assert torch.equal(together.barycentric, apart.barycentric)


def nearest_by_moller_trumbore(corners: np.ndarray, camera: Cameras) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth, triangle (-1 = none) and how far the ray passes from any edge or from two equally near triangles."""
    y, x = np.meshgrid(np.arange(camera.height) + 0.5, np.arange(camera.width) + 0.5, indexing="ij")
    pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
    world = camera.camera_to_world[0].numpy()
    rays = pixels @ np.linalg.inv(camera.intrinsics[0].double().numpy()).T @ world[:3, :3].T
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    crossed = np.cross(rays[:, :, None], ac)
    determinant = (crossed * ab).sum(-1)
    towards = world[:3, 3] - a
    u = (crossed * towards).sum(-1) / determinant
    turned = np.cross(towards, ab)
    v = (rays[:, :, None] * turned).sum(-1) / determinant
    t = (ac * turned).sum(-1) / determinant
    nearest_edge = np.minimum(np.minimum(np.abs(u), np.abs(v)), np.abs(1 - u - v))
    hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    depths = np.where(hit, t, np.inf)
    ordered = np.sort(depths, axis=-1)
    with np.errstate(invalid="ignore"):
        gap = np.where(np.isfinite(ordered[..., 1]), ordered[..., 1] - ordered[..., 0], 1.0)
    depth = np.where(np.isfinite(ordered[..., 0]), ordered[..., 0], 0)
    margin = np.minimum(np.minimum(nearest_edge.min(-1), np.abs(t).min(-1)), gap)
    return depth, np.where(depth > 0, depths.argmin(-1), -1), margin
