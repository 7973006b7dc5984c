"""The start of the alignment: focal lengths and cameras from pairs alone, right where pairs are right."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from pipeline.stages.reconstruction.dust3r.alignment.records import Known
from pipeline.stages.reconstruction.dust3r.alignment.start import fit_focal, initial_state
from pipeline.stages.reconstruction.dust3r.alignment.state import State
from tests.pipeline.analytic_pairs import Scene, make_scene
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import chain, observed

IMAGES = 4


@pytest.fixture(scope="module")
def scene() -> Scene:
    return chain(IMAGES)


def started(scene: Scene, known: Known | None = None, *, shared: bool = True) -> State:
    return initial_state(observed(scene), known or Known(), shared_focal=shared)


def camera_errors(state: State, scene: Scene) -> tuple[float, float]:
    """Largest turn (degrees) and shift (metres) after the one similarity that carries the centres onto the truth."""
    found = state.camera_to_world.numpy()
    fit = SimilarityTransform.from_estimate(found[:, :3, 3], scene.camera_to_world[:, :3, 3])
    moved = fit.params @ found
    turned = np.linalg.norm(moved[:, :3, :3] / fit.scale - scene.camera_to_world[:, :3, :3], axis=(1, 2)) / np.sqrt(8)
    shifted = np.linalg.norm(moved[:, :3, 3] - scene.camera_to_world[:, :3, 3], axis=1)
    return float(np.degrees(2 * np.arcsin(turned)).max()), float(shifted.max())


def test_without_noise_the_start_is_the_answer(scene: Scene):
    state = started(scene)
    turned, shifted = camera_errors(state, scene)
    # Float32 pointmaps of metres.
    assert turned < 0.01
    assert shifted < 1e-3
    assert state.log_focal.exp().tolist() == pytest.approx([42.0] * IMAGES, rel=1e-4)


def test_scales_of_pairs_bring_their_points_together(scene: Scene):
    state, seen = started(scene), observed(scene)
    world = state.world_points(seen)
    # Both pairs that begin with image 1 put its pixels into the same places.
    first, second = (int(pair) for pair in (seen.source[: seen.pair_count] == 1).nonzero()[:2, 0])
    spread = (world[first] - world[first].mean(0)).norm(dim=-1).mean()
    assert (world[first] - world[second]).norm(dim=-1).max() < 1e-3 * spread


def test_pairs_in_one_direction_are_enough():
    scene = make_scene(np.array([[0, 1], [1, 2], [2, 3]]), IMAGES)
    turned, shifted = camera_errors(started(scene), scene)
    assert turned < 0.1
    assert shifted < 0.01


def test_noise_moves_the_start_by_about_as_much():
    little, much = (chain(IMAGES, noise=noise, seed=1) for noise in (0.01, 0.02))
    turned, shifted = camera_errors(started(little), little)
    # A centimetre at 2 m is 0.3 degrees; centres that lie within a metre leave the turn of the whole less sure.
    assert turned < 2
    assert shifted < 0.02
    twice = camera_errors(started(much), much)
    assert twice == pytest.approx((2 * turned, 2 * shifted), rel=0.2), "the same noise, twice as large"


def test_a_focal_length_that_is_known_is_taken(scene: Scene):
    known = Known(focal=np.array([50.0, np.nan, np.nan, np.nan]))
    assert started(scene, known).log_focal.exp().tolist() == pytest.approx([50.0] * IMAGES)
    own = started(scene, known, shared=False).log_focal.exp()
    assert own[0] == pytest.approx(50)
    assert own[1:].tolist() == pytest.approx([42.0] * 3, rel=1e-3)


def test_every_image_may_have_its_own_focal_length():
    focal = np.array([36.0, 40, 46, 52])
    edges = chain(IMAGES).predictions.edges
    state = started(make_scene(edges, IMAGES, focal=focal), shared=False)
    assert state.log_focal.exp().tolist() == pytest.approx(focal.tolist(), rel=1e-3)


@pytest.mark.parametrize("given_poses", [[0], [0, 3], [0, 1, 2, 3]])
def test_known_poses_are_put_in_and_the_others_follow(scene: Scene, given_poses: list[int]):
    known = np.full_like(scene.camera_to_world, np.nan)
    known[given_poses] = scene.camera_to_world[given_poses]
    state = started(scene, Known(camera_to_world=known))
    found = state.camera_to_world.numpy()
    assert np.allclose(found[given_poses], scene.camera_to_world[given_poses], atol=1e-9)
    if len(given_poses) > 1:  # two centres tell the size of the world
        assert np.allclose(found, scene.camera_to_world, atol=1e-3)


def test_known_poses_that_are_all_unknown_change_nothing(scene: Scene):
    nothing = Known(camera_to_world=np.full_like(scene.camera_to_world, np.nan))
    assert torch.allclose(started(scene, nothing).camera_to_world, started(scene).camera_to_world)


@given(st.floats(20, 200), st.integers(0, 1000))
@settings(max_examples=25)
def test_the_focal_length_of_an_exact_pointmap_is_found(focal: float, seed: int):
    draw = np.random.default_rng(seed)
    pixels = torch.from_numpy(draw.uniform(-24, 24, (50, 2)))
    z = torch.from_numpy(draw.uniform(0.5, 6, (1, 50, 1)))
    points = torch.cat([pixels[None] / focal * z, z], -1)
    assert fit_focal(pixels, points, torch.ones(1, 50).double()).tolist() == pytest.approx([focal])


def test_wrong_points_and_points_behind_do_not_bend_the_focal_length():
    draw = np.random.default_rng(0)
    pixels = torch.from_numpy(draw.uniform(-24, 24, (60, 2)))
    z = torch.from_numpy(draw.uniform(0.5, 6, (1, 60, 1)))
    points = torch.cat([pixels[None] / 42 * z, z], -1)
    points[:, :8, :2] *= -2
    points[:, 8:16, 2] *= -1
    assert fit_focal(pixels, points, torch.ones(1, 60).double()).tolist() == pytest.approx([42], rel=0.01)
