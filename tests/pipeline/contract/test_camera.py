"""The pinhole model against what can be worked out by hand, and against its own inverse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.contract.camera import depth_intrinsics, pixel_rays, pointmap
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

INTRINSICS = np.array([[500.0, 0, 320], [0, 400, 240], [0, 0, 1]])
SHAPES = st.tuples(st.integers(2, 12), st.integers(2, 16))


def test_intrinsics_of_a_quarter_sized_depth_map_are_a_quarter():
    scaled = depth_intrinsics(INTRINSICS, (120, 160))
    assert scaled.tolist() == [[125, 0, 80], [0, 100, 60], [0, 0, 1]]
    assert scaled.dtype == np.float64


def test_intrinsics_of_the_picture_itself_stay_as_they_are():
    assert np.array_equal(depth_intrinsics(INTRINSICS, (FRAME_HEIGHT, FRAME_WIDTH)), INTRINSICS)


def test_both_sides_of_a_depth_map_scale_on_their_own():
    # A map of 40 x 160 is squeezed: 160 / 640 across, 40 / 480 down.
    scaled = depth_intrinsics(INTRINSICS, (40, 160))
    assert scaled[0, 0] == pytest.approx(500 / 4)
    assert scaled[1, 1] == pytest.approx(400 / 12)
    assert scaled[1, 2] == pytest.approx(20)


def test_intrinsics_of_many_frames_are_scaled_at_once():
    many = np.stack([INTRINSICS, 2 * INTRINSICS])
    scaled = depth_intrinsics(many.astype(np.float32), (240, 320))
    assert scaled.shape == (2, 3, 3)
    assert np.array_equal(scaled[1], depth_intrinsics(2 * INTRINSICS, (240, 320)))


def test_pixel_centres_lie_at_integers_and_a_half():
    rays = pixel_rays(INTRINSICS, (FRAME_HEIGHT, FRAME_WIDTH))
    assert rays.shape == (480, 640, 3)
    # Pixel (319, 239) has its centre at (319.5, 239.5), half a pixel left of and above the principal point.
    assert rays[239, 319] == pytest.approx([-0.5 / 500, -0.5 / 400, 1])
    assert rays[0, 0] == pytest.approx([(0.5 - 320) / 500, (0.5 - 240) / 400, 1])


def test_rays_run_right_and_down_as_pixels_do():
    rays = pixel_rays(INTRINSICS, (6, 8))
    assert (np.diff(rays[..., 0], axis=1) > 0).all()
    assert (np.diff(rays[..., 1], axis=0) > 0).all()
    assert (rays[..., 2] == 1).all()


def test_a_small_depth_map_looks_at_what_the_picture_looks_at():
    # The corner of the view lies half a pixel outside of the corner pixel, whatever the size of the map.
    for shape in ((480, 640), (60, 80), (3, 4)):
        rays = pixel_rays(INTRINSICS, shape)
        half_pixel = (rays[0, 1] - rays[0, 0])[0] / 2, (rays[1, 0] - rays[0, 0])[1] / 2
        assert rays[0, 0, 0] - half_pixel[0] == pytest.approx(-320 / 500)
        assert rays[0, 0, 1] - half_pixel[1] == pytest.approx(-240 / 400)


def test_a_wall_ahead_becomes_a_plane_at_its_distance():
    points = pointmap(np.full((6, 8), 2.5), INTRINSICS, np.eye(4))
    assert points[..., 2] == pytest.approx(2.5)
    # The view of 640 pixels at a focal length of 500 is 640 / 500 * 2.5 m wide, outer pixel centres 7/8 of that apart.
    assert np.ptp(points[..., 0]) == pytest.approx(640 / 500 * 2.5 * 7 / 8)


def test_points_follow_the_camera_that_saw_them():
    # A camera at (1, 2, 1.5) that looks along +y with z up: right is +x, down is -z, forward is +y.
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    pose[:3, 3] = (1, 2, 1.5)
    points = pointmap(np.full((480, 640), 3.0), INTRINSICS, pose)
    assert points[..., 1] == pytest.approx(5.0)
    assert points[239, 319] == pytest.approx([1 - 0.5 / 500 * 3, 5, 1.5 + 0.5 / 400 * 3])
    assert points[479, 0, 2] < points[0, 0, 2], "the lower edge of the picture sees lower points"


def test_pixels_without_depth_land_on_the_camera():
    depth = np.array([[0.0, 2.0], [2.0, 0.0]], np.float16)
    pose = np.eye(4)
    pose[:3, 3] = (4, 5, 6)
    points = pointmap(depth, INTRINSICS, pose)
    assert points[0, 0].tolist() == points[1, 1].tolist() == [4, 5, 6]
    assert points[0, 1, 2] == 8


@given(SHAPES, st.floats(100, 2000), st.floats(100, 2000), st.integers(0, 1000))
@settings(max_examples=30)
def test_lifted_points_project_back_onto_the_pixels_they_came_from(
    shape: tuple[int, int], across: float, down: float, seed: int
):
    draw = np.random.default_rng(seed)
    intrinsics = np.array([[across, 0, draw.uniform(200, 440)], [0, down, draw.uniform(140, 340)], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.random(rng=draw).as_matrix(), draw.uniform(-5, 5, 3)
    depth = draw.uniform(0.3, 9, shape)
    points = pointmap(depth, intrinsics, pose)
    in_camera = (points - pose[:3, 3]) @ pose[:3, :3]
    pixels = in_camera @ depth_intrinsics(intrinsics, shape).T
    assert pixels[..., 2] == pytest.approx(depth)
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    # Double precision: a billionth of a pixel is far above rounding.
    assert np.allclose(pixels[..., 0] / pixels[..., 2], columns, atol=1e-9)
    assert np.allclose(pixels[..., 1] / pixels[..., 2], rows, atol=1e-9)


@given(st.floats(0.1, 10), st.integers(0, 100))
@settings(max_examples=20)
def test_a_world_of_another_unit_is_the_same_world(unit: float, seed: int):
    draw = np.random.default_rng(seed)
    depth, pose = draw.uniform(0.5, 5, (3, 4)), np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.random(rng=draw).as_matrix(), draw.uniform(-2, 2, 3)
    larger = pose.copy()
    larger[:3, 3] *= unit
    assert np.allclose(pointmap(unit * depth, INTRINSICS, larger), unit * pointmap(depth, INTRINSICS, pose))
