"""The unknowns, and what they say about rays and points."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations
from pipeline.stages.reconstruction.dust3r.alignment.state import State, cross_matrix
from tests.pipeline.analytic_pairs import Scene
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import true_state

VECTORS = st.lists(st.floats(-2, 2), min_size=3, max_size=3)


@pytest.fixture(scope="module")
def state(scene: Scene) -> State:
    return true_state(scene)


def test_rays_have_unit_depth_and_slopes_by_the_focal_length(state: State, seen: Observations):
    rays = state.rays(seen.pixels)
    assert (rays[..., 2] == 1).all()
    assert torch.allclose(rays[1, :, :2] * 42, seen.pixels)


def test_both_images_of_a_pair_see_the_same_points_of_the_world(state: State, seen: Observations, scene: Scene):
    world = state.world_points(seen)
    for pair in range(seen.pair_count):
        source = int(seen.source[pair])
        x = (seen.pixels[:, 0] + 24 - 0.5).long().numpy()
        y = (seen.pixels[:, 1] + 18 - 0.5).long().numpy()
        assert np.allclose(world[pair], scene.points()[source][y, x], atol=1e-4), "float32 pointmaps of metres"
        target = int(seen.target[seen.pair_count + pair])
        assert np.allclose(world[seen.pair_count + pair], scene.points()[target][y, x], atol=1e-4)


def test_points_lie_on_the_rays_of_the_camera_that_sees_them(state: State, seen: Observations):
    offset = state.world_points(seen) - state.camera_to_world[seen.target][:, None, :3, 3]
    rays = state.world_rays(seen.pixels)[seen.target]
    assert torch.linalg.cross(offset, rays).abs().max() < 1e-3


def test_a_world_of_another_size_is_the_same_world(state: State, seen: Observations):
    larger = state.rescaled(torch.tensor(np.log(3.0)))
    assert torch.allclose(larger.world_points(seen), 3 * state.world_points(seen))
    assert torch.equal(larger.log_focal, state.log_focal)
    assert torch.allclose(larger.camera_to_world[:, :3, :3], state.camera_to_world[:, :3, :3])


def test_no_step_changes_nothing(state: State):
    stayed = state.moved(torch.zeros(3, 6).double(), torch.zeros(4).double(), torch.zeros(3).double())
    assert torch.allclose(stayed.camera_to_world, state.camera_to_world)
    assert torch.equal(stayed.log_scale, state.log_scale)


@given(VECTORS)
@settings(max_examples=30)
def test_a_twist_turns_as_its_rotation_vector_says(vector: list[float]):
    state = State(torch.eye(4).double()[None], torch.zeros(0).double(), torch.zeros(1).double())
    twist = torch.tensor([[*vector, 0.0, 0.0, 0.0]], dtype=torch.float64)
    turned = state.moved(twist, torch.zeros(0).double(), torch.zeros(1).double()).camera_to_world[0]
    assert np.allclose(turned[:3, :3], Rotation.from_rotvec(vector).as_matrix(), atol=1e-9)
    assert not turned[:3, 3].any()


def test_a_twist_without_a_turn_shifts(state: State):
    twist = torch.zeros(3, 6).double()
    twist[1, 3:] = torch.tensor([0.1, 0.2, 0.3])
    moved = state.moved(twist, torch.zeros(4).double(), torch.zeros(3).double())
    assert torch.allclose(moved.camera_to_world[1, :3, 3] - state.camera_to_world[1, :3, 3], twist[1, 3:])
    assert torch.equal(moved.camera_to_world[0], state.camera_to_world[0])


@given(VECTORS, VECTORS)
@settings(max_examples=30)
def test_a_cross_matrix_takes_the_cross_product(one: list[float], other: list[float]):
    found = cross_matrix(torch.tensor([one], dtype=torch.float64))[0] @ torch.tensor(other, dtype=torch.float64)
    assert np.allclose(found, np.cross(one, other), atol=1e-12)
