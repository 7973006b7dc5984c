"""What a clip shows of its size, in made-up clouds whose levels are known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.stages.scene.evidence import scale_evidence
from pipeline.stages.scene.metric_depth import MetricDepth
from pipeline.stages.scene.sizes import METRIC_STEEP
from pipeline.stages.scene.surfaces import SurfaceSamples

UP = np.array([0.0, 0.0, 1.0])


def cameras(*heights: float) -> NDArray[np.float64]:
    poses = np.tile(np.eye(4), (len(heights), 1, 1))
    poses[:, :3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    poses[:, 2, 3] = heights
    return poses


def cloud(*levels: tuple[float, int, int]) -> SurfaceSamples:
    """Levels (height, samples, 1 facing up, -1 down, 0 a wall that reaches from the height up by 2.6)."""
    draw, points, normals = np.random.default_rng(1), [], []
    for height, n, facing in levels:
        here = draw.uniform(-2, 2, (n, 3))
        here[:, 2] = height + (draw.uniform(0, 2.6, n) if facing == 0 else draw.normal(0, 0.004, n))
        points.append(here)
        normals.append(np.tile([0.0, 0, facing] if facing else [1.0, 0, 0], (n, 1)))
    return SurfaceSamples(np.concatenate(points), np.concatenate(normals))


def test_floor_table_and_ceiling_are_levels_the_farthest_first():
    found = scale_evidence(cloud((0, 900, 1), (0.75, 300, 1), (2.6, 500, -1), (0, 3000, 0)), UP, cameras(1.5, 1.5, 1.6))
    assert [one.distance for one in found.floors] == pytest.approx([1.5, 0.75], abs=0.01)
    assert [one.distance for one in found.ceilings] == pytest.approx([1.1], abs=0.01)
    assert [one.share for one in found.floors] == pytest.approx([900 / 4700, 300 / 4700], abs=0.01)
    assert found.floors[0].beyond == found.ceilings[0].beyond == 0
    assert found.floors[1].beyond > 0.15
    assert (found.lowest, found.highest, found.camera_range) == pytest.approx((1.5, 1.1, 0.1), abs=0.02)
    assert found.pitch == pytest.approx(0)


def test_a_floor_that_is_found_several_times_is_one_level():
    found = scale_evidence(cloud((0, 900, 1), (0.08, 500, 1), (0.16, 300, 1), (0, 3000, 0)), UP, cameras(1.5))
    (floor,) = found.floors
    assert floor.distance == pytest.approx(1.5 - (0.08 * 500 + 0.16 * 300) / 1700, abs=0.04)


def test_where_nothing_is_level_there_are_no_levels():
    found = scale_evidence(cloud((0, 3000, 0)), UP, cameras(1.5))
    assert (found.floors, found.ceilings) == ((), ())


def test_a_surface_above_a_camera_is_no_floor_and_one_below_no_ceiling():
    found = scale_evidence(cloud((1.8, 500, 1), (1.0, 500, -1), (0, 3000, 0)), UP, cameras(1.5))
    assert (found.floors, found.ceilings) == ((), ())


@pytest.mark.parametrize(("degrees", "sure"), [(0, True), (12, True), (-20, True), (35, False), (-45, False)])
def test_metric_depth_is_less_sure_of_what_a_camera_sees_that_looks_up_or_down_steeply(degrees: float, sure: bool):
    poses, metric = cameras(1.5, 1.6), MetricDepth(0.2, 0.05)
    poses[:, :3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix() @ poses[:, :3, :3]
    seen = scale_evidence(cloud((0, 900, 1), (0, 3000, 0)), UP, poses, metric).metric
    assert seen is not None
    assert seen.log_scale == metric.log_scale
    assert seen.own == pytest.approx(0.05 if sure else np.hypot(0.05, METRIC_STEEP), abs=0.01)
