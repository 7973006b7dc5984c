"""Dense depth with cameras held fixed, in one closed-form pass."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.stages.reconstruction.dust3r.alignment.dense import dense_depth
from tests.pipeline.analytic_pairs import Scene
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import CENTRE, chain, true_state

NOISE = 1e-3


@pytest.fixture(scope="module")
def scene() -> Scene:
    return chain(4)


def test_with_true_cameras_depth_is_true(scene: Scene):
    depth, confidence = dense_depth(scene.predictions, true_state(scene), CENTRE, NOISE)
    assert (depth.dtype, confidence.dtype) == (np.float32, np.float32)
    # Pointmaps and sums are float32.
    assert np.allclose(depth, scene.depth, rtol=1e-4)


def test_confidence_is_the_largest_that_any_pair_gave(scene: Scene):
    _, confidence = dense_depth(scene.predictions, true_state(scene), CENTRE, NOISE)
    first, second = (np.flatnonzero(scene.predictions.edges[:, side] == 2) for side in (0, 1))
    given = np.concatenate([scene.predictions.confidence1[first], scene.predictions.confidence2[second]])
    assert np.allclose(confidence[2], given.max(axis=0))


def test_one_pair_that_is_wrong_is_outvoted(scene: Scene):
    points = scene.predictions.points1.copy()
    points[2] *= 1.5
    depth, _ = dense_depth(replace(scene.predictions, points1=points), true_state(scene), CENTRE, NOISE)
    # Image 1 is in four pairs, three of which agree to within the noise.
    assert np.median(np.abs(depth[1] / scene.depth[1] - 1)) < 0.01


def test_noise_of_many_pairs_averages_out():
    noisy = chain(4, noise=0.03)
    depth, _ = dense_depth(noisy.predictions, true_state(chain(4)), CENTRE, 0.01)
    truth = chain(4).depth
    assert np.std(depth[1] / truth[1] - 1) < 0.03 / np.median(truth[1])


def test_what_lies_behind_a_camera_has_no_depth(scene: Scene):
    one, two = -scene.predictions.points1, -scene.predictions.points2
    depth, _ = dense_depth(replace(scene.predictions, points1=one, points2=two), true_state(scene), CENTRE, NOISE)
    assert (depth >= 0).all()
    assert (depth[0] == 0).mean() > 0.9


def test_pairs_may_be_a_part_of_what_the_maps_hold(scene: Scene):
    images, pairs = np.array([True, True, True, False]), (scene.predictions.edges < 3).all(axis=1)
    part = scene.predictions.subset(images, pairs)
    state = true_state(scene)
    kept = replace(
        state,
        camera_to_world=state.camera_to_world[:3],
        log_scale=state.log_scale[pairs],
        log_focal=state.log_focal[:3],
    )
    depth, _ = dense_depth(part, kept, CENTRE, NOISE)
    assert np.allclose(depth, scene.depth[:3], rtol=1e-4)
