"""Up, settled by whole planes: how far floors and walls move it, and how far nothing does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.stages.scene.levelling import large_planes, level, plane_thickness
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples

SMALL = SceneSettings(samples=10_000)
COUNT = 5000


def floor(seed: int = 0, noise: float = 0.005) -> SurfaceSamples:
    draw = np.random.default_rng(seed)
    points = np.column_stack([draw.uniform(-2, 2, (COUNT, 2)), draw.normal(0, noise, COUNT)])
    return SurfaceSamples(points, np.tile([0.0, 0.0, 1.0], (COUNT, 1)))


def wall(axis: int, offset: float = 2.0) -> SurfaceSamples:
    draw = np.random.default_rng(axis)
    points = draw.uniform(-2, 2, (COUNT, 3))
    points[:, 2] = draw.uniform(0, 2.5, COUNT)
    points[:, axis] = offset + draw.normal(0, 0.005, COUNT)
    return SurfaceSamples(points, np.tile(-np.sign(offset) * np.eye(3)[axis], (COUNT, 1)))


def joined(*parts: SurfaceSamples) -> SurfaceSamples:
    return SurfaceSamples(np.concatenate([p.points for p in parts]), np.concatenate([p.normals for p in parts]))


def tilted(degrees: float) -> NDArray[np.float64]:
    """Rows x, y and up of a frame that is tilted about y."""
    tilt = np.radians(degrees)
    return np.array([[np.cos(tilt), 0, -np.sin(tilt)], [0, 1, 0], [np.sin(tilt), 0, np.cos(tilt)]])


def off_deg(up: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip(up[2], -1, 1))))


def test_a_lone_wall_leaves_the_tilt_about_its_normal_as_it_was():
    """Its points bend by less than a plane's thickness, which must not be read as a floor on its side."""
    assert off_deg(level(wall(1), np.eye(3), SMALL)) < 0.1


def test_a_floor_settles_the_tilt_that_normals_left():
    # Reluctance to tilt, a plane's thickness at 8 degrees, holds back a hundredth of two degrees.
    assert off_deg(level(floor(), tilted(2), SMALL)) < 0.1


def test_walls_settle_the_tilt_as_far_as_they_are_high():
    up = level(joined(wall(0), wall(1)), tilted(2), SMALL)
    # Half of the samples on a wall 2.5 m high: 0.5 * 2.5^2 / 12 = 0.26 m2 speak for the plumb line; reluctance is
    # (0.015 * 2 m / 8 degrees)^2 = 0.046 m2, so that 0.046 / 0.31 of two degrees stay.
    assert off_deg(up) == pytest.approx(0.3, abs=0.1)


def test_what_is_level_stays_level():
    assert off_deg(level(joined(floor(), wall(0), wall(1)), np.eye(3), SMALL)) < 0.05


def test_up_is_a_unit_vector():
    assert np.linalg.norm(level(floor(), tilted(5), SMALL)) == pytest.approx(1)


@pytest.mark.parametrize("unit", [0.1, 10.0])
def test_the_unit_of_the_reconstruction_does_not_matter(unit: float):
    room = joined(floor(), wall(0))
    larger = SurfaceSamples(unit * room.points, room.normals)
    assert np.allclose(level(larger, tilted(2), SMALL), level(room, tilted(2), SMALL), atol=1e-9)


def test_a_planes_thickness_is_a_share_of_how_far_everything_is():
    spread = np.linalg.norm(floor().points - np.median(floor().points, axis=0), axis=1)
    assert plane_thickness(floor(), SMALL) == pytest.approx(SMALL.plane_share * np.median(spread))


def test_large_planes_are_those_across_an_axis_each_with_its_own_points():
    room = joined(floor(), wall(0), wall(0, -2.0), wall(1))
    across_x = large_planes(room, np.array([1.0, 0, 0]), SMALL)
    assert sorted(round(float(np.median(plane[:, 0])), 1) for plane in across_x) == [-2.0, 2.0]
    assert all(len(plane) > 0.95 * COUNT for plane in across_x)
    assert len(large_planes(room, np.array([0.0, 0, 1]), SMALL)) == 1


def test_a_plane_of_few_points_has_no_say():
    few = SurfaceSamples(wall(0).points[:50], wall(0).normals[:50])
    assert large_planes(joined(floor(), few), np.array([1.0, 0, 0]), SMALL) == []
