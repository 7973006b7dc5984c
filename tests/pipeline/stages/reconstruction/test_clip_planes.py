"""A room of six walls and a box in it, whose depth is a formula, with a hole in what was measured."""

import numpy as np
import pytest

from pipeline.contract.camera import pixel_rays
from pipeline.stages.reconstruction.clip_planes import Plane, along_planes, planes_of
from tests.pipeline.box_room import INTRINSICS
from tests.pipeline.stages.reconstruction.test_fusion import CAMERAS, HOLE, SHAPE, TRUTH, matched_but_for_a_hole

RAYS = pixel_rays(INTRINSICS, SHAPE)
FRAME = 1

WORLD = matched_but_for_a_hole()


@pytest.fixture(scope="module")
def planes() -> list[Plane]:
    return planes_of(WORLD.views, WORLD.measured.depth, [RAYS] * len(TRUTH))


def along(planes: list[Plane], seen: np.ndarray) -> np.ndarray:
    return along_planes(planes, CAMERAS[FRAME], RAYS, seen.astype(np.float32), WORLD.measured.depth[FRAME], 0.15)


def test_planes_of_a_room_are_its_walls(planes: list[Plane]):
    walls = {(1, 2.0), (1, 1.0), (0, 2.0), (0, 0.8), (0, 0.4), (2, 0.0), (2, 0.9), (2, 2.6), (1, 3.0)}
    assert 3 <= len(planes) <= 10
    for plane in planes:
        axis = int(np.abs(plane.normal).argmax())
        assert np.abs(plane.normal[axis]) == pytest.approx(1, abs=1e-4)
        assert min(abs(abs(plane.offset) - where) for at, where in walls if at == axis) < 2e-3


@pytest.mark.parametrize("bend", [0.1, -0.1])
def test_a_wall_that_a_network_bends_goes_on_as_it_is(planes: list[Plane], bend: float):
    x = np.linspace(-1, 1, SHAPE[1])
    flat = along(planes, TRUTH[FRAME] * np.exp(bend * x**2))
    hole = flat[HOLE]
    # all but the corner of wall and ceiling, and what lies more than 14 of 96 pixels from what was measured
    assert (hole > 0).mean() > 0.6
    assert np.percentile(np.abs(hole[hole > 0] / TRUTH[FRAME][HOLE][hole > 0] - 1), 95) < 5e-3


def test_what_stands_before_a_wall_is_not_flattened_into_it(planes: list[Plane]):
    seen = TRUTH[FRAME].copy()
    seen[12:36, 46:74] *= 0.8
    assert not along(planes, seen)[14:34, 48:72].any()
    turned = TRUTH[FRAME] * (1 + 0.12 * np.sin(np.arange(SHAPE[1]) / 2))
    assert (along(planes, turned)[HOLE] > 0).mean() < 0.5, "of another slope"


def test_a_plane_that_the_frame_has_not_measured_nearby_does_not_go_on(planes: list[Plane]):
    nothing = along_planes(planes, CAMERAS[FRAME], RAYS, TRUTH[FRAME], np.zeros_like(TRUTH[FRAME]), 0.15)
    assert not nothing.any()


def test_depth_without_surfaces_has_no_planes():
    assert planes_of(WORLD.views, np.zeros_like(TRUTH), [RAYS] * len(TRUTH)) == []
    rough = np.random.default_rng(0).uniform(1, 5, TRUTH.shape).astype(np.float32)
    assert planes_of(WORLD.views, rough, [RAYS] * len(TRUTH)) == []


def test_a_plane_is_met_from_the_side_it_was_seen_from():
    wall = Plane(np.array([0.0, 0.0, -1.0]), -2.0)
    ray = np.array([[[0.0, 0.0, 1.0], [0.5, 0.0, 1.0]]])
    assert wall.depth(np.eye(4), ray) == pytest.approx(np.full((1, 2), 2.0))
    behind = np.eye(4)
    behind[2, 3] = 3
    assert not wall.depth(behind, ray).any()
    assert not wall.depth(np.diag([-1.0, 1, -1, 1]), ray).any()
