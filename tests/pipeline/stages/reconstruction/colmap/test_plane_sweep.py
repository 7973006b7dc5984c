from dataclasses import replace

import numpy as np
import pytest

from pipeline.stages.reconstruction.colmap.plane_sweep import Window, blur, cost_volume, inverse_depths, warp
from pipeline.stages.reconstruction.colmap.semiglobal import aggregate, pick
from pipeline.stages.reconstruction.colmap.settings import SweepSettings
from tests.pipeline.stages.reconstruction.colmap.walls import sideways, wall_depth, wall_views, without_texture

SETTINGS = SweepSettings(max_planes=64)
INSIDE = (slice(10, -10), slice(35, -35))


@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.3, 0.0, 0.954), (0.0, -0.4, 0.917)])
def test_finds_the_depth_of_a_wall_that_stands_straight_or_at_a_slant(normal: tuple[float, float, float]):
    views = wall_views(sideways(0, 0.2, -0.2), normal, 2.0)
    planes = inverse_depths(views, 0, SETTINGS)
    depth = pick(aggregate(cost_volume(views, 0, planes, SETTINGS), views.grey[0], SETTINGS), planes)
    error = np.abs(depth / wall_depth(views.camera_to_world[0], normal, 2.0) - 1)[INSIDE]
    # 14 pixels of parallax at 2 m: 1 % is a seventh of a pixel, what sub-step refinement is there for.
    assert np.median(error) < 0.01
    assert np.mean(error < 0.04) > 0.98


def test_a_window_that_leaves_every_source_tells_nothing():
    views = wall_views(sideways(0, 1.5, 1.6), (0.0, 0.0, 1.0), 2.0)
    cost = cost_volume(views, 0, np.array([0.5], np.float32), SETTINGS)
    # At 2 m a step of 1.5 m moves the picture by 105 pixels: the left 105 columns are seen by no source.
    assert np.all(cost[:, :100] == 1)
    assert np.median(cost[:, 125:150]) < 0.1


def test_a_plane_behind_a_source_tells_nothing():
    poses = sideways(0, 0, 0)
    poses[1:, 2, 3] = 3.0
    views = wall_views(poses, (0.0, 0.0, 1.0), 4.0)
    assert np.all(cost_volume(views, 0, np.array([1 / 2.0], np.float32), SETTINGS) == 1)


def test_even_pictures_tell_nothing_however_bright():
    views = without_texture(wall_views(sideways(0, 0.2, -0.2), (0.0, 0.0, 1.0), 2.0), slice(None), slice(None))
    cost = cost_volume(views, 0, np.array([0.3, 0.5], np.float32), SETTINGS)
    assert np.all(cost > 0.99)


def test_steps_are_as_fine_as_asked_for_in_the_widest_source():
    views = wall_views(sideways(0, 0.1, 0.4), (0.0, 0.0, 1.0), 2.0)
    planes = inverse_depths(views, 0, SweepSettings(step=1.0, max_planes=512))
    # 0.4 m * 140 px * (1/1 m - 1/6 m) = 46.7 pixels of travel.
    assert len(planes) == 46
    assert planes[0] == pytest.approx(1 / 6)
    assert planes[-1] == pytest.approx(1)


def shifted(across: float, down: float = 0.0) -> np.ndarray:
    """Where a pixel falls on a source that shows the same picture moved left and up."""
    return np.array([[1, 0, across], [0, 1, down], [0, 0, 1.0]])


def test_a_mean_is_that_of_the_window():
    picture = np.zeros((9, 9), np.float32)
    picture[4, 4] = 9
    means = blur(picture, (3, 3))
    assert means[3:6, 3:6] == pytest.approx(1)
    assert means.sum() == pytest.approx(9)


@pytest.mark.parametrize(("across", "down"), [(0, 0), (5, 0), (0, -3), (2.5, 0)])
def test_a_source_is_sampled_where_pixels_fall(across: float, down: float):
    source = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (30, 1)) + np.linspace(0, 1, 30)[:, None]
    warped, inside = warp(source.astype(np.float32), shifted(across, down))
    rows, columns = np.mgrid[4:20, 4:30]
    expected = (columns + across) / 39 + (rows + down) / 29
    assert warped[4:20, 4:30] == pytest.approx(expected, abs=0.005), "OpenCV interpolates in 32nds of a pixel"
    assert inside[4:20, 4:30].all()


def test_what_falls_outside_is_zero_and_told():
    warped, inside = warp(np.full((30, 40), 0.7, np.float32), shifted(10))
    assert inside[:, :29].all()
    assert not inside[:, 31:].any()
    assert not warped[:, 31:].any()


def test_what_lies_behind_the_source_is_outside():
    behind = np.diag([1.0, 1, -1])
    assert not warp(np.ones((30, 40), np.float32), behind)[1].any()


def test_a_window_correlates_with_itself_and_not_with_its_negative():
    texture = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    window = Window(texture, SETTINGS)
    inner = (slice(6, -6), slice(6, -6))
    # Damped by the noise of 0.012, against a texture of 0.29: one part in 600.
    assert window.correlation(texture, np.eye(3))[inner].min() > 0.99
    assert window.correlation(1 - texture, np.eye(3))[inner].max() < -0.99
    assert np.abs(window.correlation(np.full_like(texture, 0.5), np.eye(3))[inner]).max() < 1e-3
    assert window.correlation(0.5 * texture + 0.2, np.eye(3))[inner].min() > 0.98, "another exposure"


def test_a_view_that_nothing_helps_has_few_planes_and_no_depth():
    views = replace(wall_views(sideways(0, 0.1, 0.4), (0.0, 0.0, 1.0), 2.0), sources=((), (2,), (1,)))
    planes = inverse_depths(views, 0, SETTINGS)
    assert len(planes) == SETTINGS.min_planes
    assert np.all(cost_volume(views, 0, planes, SETTINGS) == 1)
