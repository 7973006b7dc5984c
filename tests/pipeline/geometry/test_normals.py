import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.camera import pixel_rays
from pipeline.geometry.normals import PlaneFits, fit_planes
from tests.pipeline.box_room import INTRINSICS, Box, Room, looking

SHAPE = (60, 80)
RAYS = pixel_rays(INTRINSICS, SHAPE)
WINDOW, ROUGH = 0.06, 0.01
ROOM = Room(
    Box((-1.53, -1.07, 0.0), (2.13, 2.91, 2.6)),
    (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)), Box((-1.53, 1.5, 0.0), (-0.9, 2.91, 2.0))),
)


def plane_depth(normal: np.ndarray, distance: float) -> np.ndarray:
    """Depth of the plane whose points p have normal . p = -distance; 0 where no ray before the camera meets it."""
    along = RAYS @ normal
    depth = np.divide(-distance, along, out=np.zeros(SHAPE), where=along < -1e-3)
    return depth.astype(np.float32)


def inner(values: np.ndarray, margin: int = 4) -> np.ndarray:
    return values[margin:-margin, margin:-margin]


def fits(depth: np.ndarray) -> PlaneFits:
    return fit_planes(depth, RAYS, WINDOW, ROUGH)


@settings(max_examples=30)
@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.5, 9))
def test_every_pixel_of_a_plane_has_its_normal_and_its_depth(x: float, y: float, distance: float):
    normal = np.array([x, y, -1.0]) / np.linalg.norm([x, y, 1])
    depth = plane_depth(normal, distance)
    found = fits(depth)
    # Inverse depth of a plane is linear in the pixel: what is left is the rounding of float32.
    np.testing.assert_allclose(found.normals, np.broadcast_to(normal, (*SHAPE, 3)), atol=1e-3)
    np.testing.assert_allclose(inner(found.depth), inner(depth), rtol=1e-4)
    assert inner(found.flat).all()


def test_plane_fits_are_exact_on_the_planes_of_a_room():
    camera = looking((0, 0, 1.5), (0.3, 2.0, 0.9))
    depth, _ = ROOM.view(camera, SHAPE)
    planes = fit_planes(depth, RAYS, 0.05, 0.001)
    world = planes.normals @ camera[:3, :3].T
    assert planes.flat.mean() > 0.7
    assert np.abs(world[planes.flat]).max(axis=1).min() > np.cos(np.radians(3))
    assert np.allclose(planes.depth[planes.flat], depth[planes.flat], rtol=0.003)
    assert ((planes.normals * RAYS).sum(axis=-1)[planes.flat] < 0).all(), "normals face the camera"


def test_a_step_in_depth_is_not_flat():
    depth = np.full(SHAPE, 2.0, np.float32)
    depth[:, 40:] = 3.0
    found = fits(depth)
    assert not found.flat[:, 39:41].any()
    assert inner(found.flat)[:, :20].all()


def test_pixels_without_depth_and_windows_less_than_half_filled_are_not_flat():
    depth = np.full(SHAPE, 2.0, np.float32)
    depth[:, 40:] = 0
    found = fits(depth)
    assert not found.flat[:, 40:].any()
    assert found.flat[10:-10, 39].all(), "the window of the last column is just over half full"
    assert not fits(np.zeros(SHAPE, np.float32)).flat.any()


@pytest.mark.parametrize(("noise", "flat"), [(0.002, True), (0.05, False)])
def test_roughness_is_the_root_mean_square_share_of_depth(noise: float, flat: bool):
    rough = np.random.default_rng(0).normal(0, noise, SHAPE)
    depth = (3.0 * (1 + rough)).astype(np.float32)
    assert inner(fits(depth).flat).mean() == pytest.approx(float(flat), abs=0.02)


def test_normals_do_not_depend_on_the_unit_of_depth():
    depth = plane_depth(np.array([0.3, -0.2, -1.0]), 2.0)
    metres, millimetres = fits(depth), fits(1000 * depth)
    np.testing.assert_allclose(millimetres.normals, metres.normals, atol=1e-3)
    np.testing.assert_allclose(inner(millimetres.depth), 1000 * inner(metres.depth), rtol=1e-3)
