"""Rows are taken one after another, and what stands still is not blurred."""

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import intrinsics_of, pose
from pipeline.tours.effects.lens import Lens
from pipeline.tours.effects.shutter import RowCamera, Shutter
from pipeline.tours.mesh import build_mesh
from pipeline.tours.painter import pixel_centres
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import rectangle, thing
from tests.pipeline.tours.shapes import GREY

LENS = Lens(intrinsics_of(90))
SIZE = (640, 480)


def walking(seconds: float) -> np.ndarray:
    """Looks along +x and steps to the left, +y, with a metre a second."""
    return pose(np.array([0.0, seconds, 0.0]), 0.0, 0.0, 0.0)


def turning(seconds: float) -> np.ndarray:
    return pose(np.zeros(3), 0.5 * seconds, 0.0, 0.0)


def standing(_: float) -> np.ndarray:
    return pose(np.array([1.0, 2.0, 1.5]), 0.3, -0.1, 0.02)


def test_every_row_has_the_pose_of_its_own_time():
    (camera,) = Shutter(readout_s=0.03).cameras(walking, 2.0, LENS, SIZE)
    times = 2.0 + ((np.arange(480) + 0.5) / 480 - 0.5) * 0.03
    np.testing.assert_allclose(camera.row_poses[:, 1, 3], times, atol=1e-9)
    assert camera.size == SIZE
    (turned,) = Shutter(readout_s=0.03).cameras(turning, 2.0, LENS, SIZE)
    np.testing.assert_allclose(turned.row_poses[[0, -1]], [turning(times[0]), turning(times[-1])], atol=1e-6)


def test_an_upright_edge_leans_by_the_rows_delay():
    # Its left edge 2 m ahead at 320 pixels a metre at one metre: a step of 30 mm shifts it by 4.8 pixels.
    wall = rectangle((2.0, 0.0, -3.0), (0, -9, 0), (0, 0, 6))
    caster = RayCaster(build_mesh((thing(SemanticClass.WALL, ((wall,), GREY)),)))
    (camera,) = Shutter(readout_s=0.03).cameras(walking, 0.0, LENS, SIZE)
    hits = caster.cast(*camera.rays(pixel_centres()))
    first_column = np.argmax(hits.found.reshape(480, 640), axis=1)
    assert first_column[-1] - first_column[0] == pytest.approx(0.03 * 320 / 2, abs=1.01)
    assert first_column[240] == pytest.approx(320, abs=1)
    np.testing.assert_allclose(hits.distance[hits.found], 2.0, rtol=1e-5)


@pytest.mark.parametrize("shutter", [Shutter(exposure_s=0.03, samples_max=8), Shutter(0.03, 0.03, 8)])
def test_a_camera_at_rest_needs_one_moment_and_sees_what_a_pinhole_sees(shutter: Shutter):
    (camera,) = shutter.cameras(standing, 1.0, LENS, SIZE)
    np.testing.assert_allclose(camera.row_poses, np.broadcast_to(standing(0), (480, 4, 4)), atol=1e-12)
    (still,) = Shutter().cameras(standing, 1.0, LENS, SIZE)
    for with_exposure, without in zip(camera.rays(pixel_centres()), still.rays(pixel_centres()), strict=True):
        np.testing.assert_allclose(with_exposure, without, atol=1e-6)


def test_faster_motion_is_averaged_over_more_moments_which_lie_within_the_exposure():
    counts = [
        len(Shutter(exposure_s=exposure, samples_max=8).cameras(walking, 1.0, LENS, SIZE))
        for exposure in (0.001, 0.01, 0.04)
    ]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[-1] >= 4
    middles = [camera.camera_to_world[1, 3] for camera in Shutter(0, 0.04, 8).cameras(walking, 1.0, LENS, SIZE)]
    assert np.mean(middles) == pytest.approx(1.0, abs=1e-6)
    assert 0.98 < min(middles) < max(middles) < 1.02


def test_a_window_keeps_direction_and_time_of_what_it_shows():
    (camera,) = Shutter(readout_s=0.03).cameras(walking, 0.0, Lens(LENS.intrinsics, -0.1), SIZE)
    window = camera.windowed(80, 60, 320, 240, (640, 480))
    origin, direction = window.rays(np.array([[100.5, 200.5]], np.float32))
    there = camera.rays(np.array([[80 + 100.5 / 2, 60 + 200.5 / 2]], np.float32))
    np.testing.assert_allclose(origin, there[0], atol=1e-6)
    np.testing.assert_allclose(direction, there[1], atol=1e-5)


def test_without_its_faults_a_camera_is_the_pinhole_of_its_middle():
    (camera,) = Shutter(readout_s=0.03).cameras(walking, 0.0, Lens(LENS.intrinsics, -0.1), SIZE)
    pinhole = camera.without_faults()
    assert isinstance(pinhole, RowCamera)
    assert pinhole.lens.k1 == 0
    np.testing.assert_array_equal(pinhole.row_poses[[0, 479]], np.stack([camera.camera_to_world] * 2))
