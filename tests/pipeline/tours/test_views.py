import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tours.camera import pose
from pipeline.tours.light import Lighting
from pipeline.tours.tour import Tour
from pipeline.tours.views import Cameras, LitHouse, RenderedViews, ViewRenderer, light_house
from pipeline.tours.views.rasterise import _some_views, rasterise
from pipeline.tours.views.textures import Textures

HEIGHT, WIDTH = 48, 64
COARSE = Lighting(spacing=0.5, rays=4)


@pytest.fixture(scope="module")
def house(tour: Tour) -> LitHouse:
    rng = np.random.default_rng(0)
    return light_house(tour.house.things, tour.house.rooms, rng, COARSE, texel=0.03, texel_outside=0.1)


@pytest.fixture(scope="module")
def cameras(tour: Tour) -> Cameras:
    walks = [walk for walk in tour.walks if walk is not None]
    poses = [walk.at(0.5 * walk.duration) for walk in walks]
    return cameras_of(tour, np.stack(poses), HEIGHT, WIDTH)


def cameras_of(tour: Tour, poses: np.ndarray, height: int, width: int) -> Cameras:
    scale = np.array([[width / tour.width], [height / tour.height], [1]], np.float32)
    intrinsics = np.stack([tour.intrinsics * scale] * len(poses))
    return Cameras(torch.from_numpy(intrinsics), torch.from_numpy(poses), height, width)


@pytest.fixture(scope="module")
def both(house: LitHouse, cameras: Cameras) -> tuple[RenderedViews, RenderedViews]:
    return ViewRenderer(house, backend="open3d").render(cameras), ViewRenderer(house, backend="torch").render(cameras)


def test_both_backends_see_the_same_things_indoors_and_outdoors(both: tuple[RenderedViews, RenderedViews]):
    cast, drawn = both
    # Only pixels whose centre lies on an edge to the last bit may differ: 1 in 10,000.
    assert (cast.labels == drawn.labels).float().mean() > 0.9995
    assert (cast.instances == drawn.instances).float().mean() > 0.9995
    assert 255 in cast.labels
    assert len(cast.labels.unique()) > 5


def test_both_backends_see_the_same_depth_and_sky(both: tuple[RenderedViews, RenderedViews]):
    cast, drawn = both
    assert ((cast.depth == 0) == (drawn.depth == 0)).float().mean() > 0.9995
    same = (cast.instances == drawn.instances) & (cast.depth > 0)
    relative = (cast.depth - drawn.depth).abs()[same] / cast.depth[same]
    assert (relative < 1e-4).float().mean() > 0.9995


def test_both_backends_paint_alike(both: tuple[RenderedViews, RenderedViews]):
    cast, drawn = both
    assert (cast.pictures.float() - drawn.pictures.float()).abs().mean() < 0.1


def test_views_hold_the_truth_that_the_tour_states(tour: Tour, house: LitHouse):
    shot = next(shot for shot in tour.shots if shot.kind == "indoor")
    truth = tour.truth(shot.start_frame)
    camera = tour._camera(shot, shot.start_frame)
    assert camera is not None
    view = ViewRenderer(house).render(cameras_of(tour, camera[None], tour.height, tour.width))
    assert np.array_equal(view.labels[0].numpy(), truth.labels)
    assert np.array_equal(view.instances[0].numpy(), truth.instances)
    assert np.allclose(view.depth[0].numpy(), truth.depth, rtol=1e-5)


def test_textures_are_looked_up_as_the_painter_does(house: LitHouse):
    rng = np.random.default_rng(0)
    height, width = house.atlas.levels[0].shape[:2]
    texels = rng.uniform(0, [width, height], (64, 64, 2)).astype(np.float32)
    # The coarsest level and its neighbour would need a border that cv2 fills otherwise.
    level = rng.uniform(-1, 3, (64, 64)).astype(np.float32)
    inside = ((texels > 16) & (texels < [width - 16, height - 16])).all(axis=-1)
    painted = house.atlas.look_up(texels, level)
    mapped = Textures.of(house.atlas, torch.device("cpu")).look_up(
        torch.from_numpy(texels.reshape(-1, 2)), torch.from_numpy(level.ravel())
    )
    # cv2 places texels on a raster of 1/32 and rounds to whole grey levels.
    assert np.abs(mapped.numpy().reshape(64, 64, 3) - painted)[inside].mean() < 1


def one_camera(height: int = 24, width: int = 32) -> Cameras:
    intrinsics = torch.tensor([[[20.0, 0, width / 2], [0, 20.0, height / 2], [0, 0, 1]]])
    return Cameras(intrinsics, torch.from_numpy(pose(np.zeros(3), 0.3, -0.2, 0.1))[None], height, width)


@settings(max_examples=25, deadline=None)
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
