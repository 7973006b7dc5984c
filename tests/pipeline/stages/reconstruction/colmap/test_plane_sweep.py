import numpy as np
import pytest

from pipeline.stages.reconstruction.colmap.plane_sweep import cost_volume, inverse_depths
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
