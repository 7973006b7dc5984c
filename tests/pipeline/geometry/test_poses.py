import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pipeline.geometry.poses import (
    PoseErrors,
    area_under_curve,
    depth_errors,
    focal_error,
    pose_errors,
    resize_nearest,
)

SEEDS = st.integers(0, 10_000)


def poses_of(seed: int, n: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, :3, :3] = Rotation.random(n, rng).as_matrix()
    poses[:, :3, 3] = rng.uniform(-2, 2, (n, 3))
    return poses


def turn(degrees: float, axis: str = "z") -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    return matrix


@settings(max_examples=30)
@given(SEEDS, st.floats(0.01, 100))
def test_another_world_and_another_scale_are_no_error(seed: int, scale: float):
    truth = poses_of(seed)
    estimate = poses_of(seed + 1, 1)[0] @ truth
    estimate[:, :3, 3] *= scale
    errors = pose_errors(estimate, truth)
    assert errors.rotation.shape == errors.translation_direction.shape == (6,)
    assert errors.rotation.max() < 1e-5
    assert errors.translation_direction.max() < 1e-5
    assert errors.auc(1) == errors.rotation_auc(1) == 1


@settings(max_examples=30)
@given(SEEDS, st.floats(0.001, 179.9))
def test_a_camera_turned_on_the_spot_is_wrong_by_its_angle_in_every_pair_it_is_in(seed: int, degrees: float):
    truth = poses_of(seed, 3)
    estimate = truth.copy()
    estimate[2] = truth[2] @ turn(degrees, "y")
    errors = pose_errors(estimate, truth)
    np.testing.assert_allclose(errors.rotation, [0, degrees, degrees], atol=1e-5)
    np.testing.assert_allclose(errors.translation_direction, 0, atol=1e-5)


@pytest.mark.parametrize("degrees", [0.5, 30.0, 90.0, 179.0])
def test_a_step_in_another_direction_is_wrong_by_the_angle_between(degrees: float):
    truth = np.tile(np.eye(4), (2, 1, 1))
    truth[1, :3, 3] = (1, 0, 0)
    estimate = truth.copy()
    estimate[1, :3, 3] = 7 * turn(degrees)[:3, 0]
    errors = pose_errors(estimate, truth)
    np.testing.assert_allclose(errors.translation_direction, [degrees], atol=1e-6)
    np.testing.assert_allclose(errors.rotation, [0], atol=1e-6)


def test_a_step_backwards_is_wholly_wrong():
    truth = np.tile(np.eye(4), (2, 1, 1))
    truth[1, :3, 3] = (1, 2, 3)
    backwards = truth.copy()
    backwards[1, :3, 3] *= -1
    assert pose_errors(backwards, truth).translation_direction == pytest.approx([180])


def test_cameras_that_coincide_have_no_direction():
    still, moved = np.tile(np.eye(4), (2, 1, 1)), np.tile(np.eye(4), (2, 1, 1))
    moved[1, 0, 3] = 1
    assert pose_errors(still, still).translation_direction.tolist() == [0]
    assert pose_errors(still, moved).translation_direction.tolist() == [180]
    assert pose_errors(moved, still).translation_direction.tolist() == [180]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (0, 0), (3, 2)])
def test_fewer_than_two_frames_and_unequal_stacks_are_refused(n: int, m: int):
    with pytest.raises(ValueError, match="need two equal stacks of at least two poses"):
        pose_errors(poses_of(0, n), poses_of(0, m))


def test_the_area_of_a_case_worked_out_by_hand():
    errors = np.array([0.5, 1.5, 3.5, 90.0])
    # Below 1, 2, 3, 4 and 5 degrees lie 1, 2, 2, 3 and 3 of the four.
    assert area_under_curve(errors, 5) == pytest.approx((1 + 2 + 2 + 3 + 3) / 4 / 5)
    assert area_under_curve(np.array([]), 5) == 0
    assert area_under_curve(np.array([5.0]), 5) == 0, "the threshold itself is not below it"


@settings(max_examples=40)
@given(st.lists(st.floats(0, 180), min_size=1, max_size=12), st.integers(1, 30))
def test_the_area_grows_with_the_threshold_and_shrinks_with_the_errors(errors: list[float], threshold: int):
    given_errors = np.array(errors)
    area = area_under_curve(given_errors, threshold)
    assert 0 <= area <= area_under_curve(given_errors, threshold + 1) + 1e-12 <= 1 + 1e-9
    assert area_under_curve(given_errors + 1, threshold) <= area


def test_a_pair_counts_by_the_larger_of_its_errors():
    errors = PoseErrors(np.array([0.5, 3.5]), np.array([2.5, 0.5]))
    assert errors.auc(4) == pytest.approx(area_under_curve(np.array([2.5, 3.5]), 4))
    assert errors.rotation_auc(4) == pytest.approx(area_under_curve(np.array([0.5, 3.5]), 4))


def test_the_focal_error_is_the_median_share_of_the_true_focal_length():
    intrinsics = np.tile(np.eye(3), (3, 1, 1))
    truth = intrinsics * 500.0
    estimate = truth.copy()
    estimate[:, 0, 0] = (450, 505, 700)
    estimate[:, 1, 1] = 1  # the vertical one is not looked at
    assert focal_error(estimate, truth) == pytest.approx(0.1)


@settings(max_examples=30)
@given(SEEDS, st.floats(0.01, 50))
def test_depth_right_up_to_scale_has_no_error(seed: int, scale: float):
    truth = np.random.default_rng(seed).uniform(0.5, 6, (2, 5, 7))
    errors = depth_errors(truth / scale, truth)
    assert errors.absolute_relative == pytest.approx(0, abs=1e-9)
    assert (errors.delta, errors.given) == (1, 1)
    assert errors.scale == pytest.approx(scale)


def test_depth_errors_of_a_case_worked_out_by_hand():
    truth = np.array([[[1.0, 2.0, 4.0, 5.0, 3.0, 0.0]]])
    depth = np.array([[[1.0, 2.0, 4.0, 7.5, 0.0, 9.0]]])
    errors = depth_errors(depth, truth)
    # The median of truth / depth is 1; four of five true values are given, of which one is half too large.
    assert (errors.scale, errors.given) == (1, 4 / 5)
    assert errors.absolute_relative == pytest.approx(0.5 / 4)
    assert errors.delta == 3 / 4


def test_without_common_depth_only_the_share_that_was_given_is_known():
    nothing = depth_errors(np.zeros((1, 2, 2)), np.ones((1, 2, 2)))
    assert nothing.given == 0
    assert np.isnan([nothing.absolute_relative, nothing.delta, nothing.scale]).all()
    assert depth_errors(np.ones((1, 2, 2)), np.zeros((1, 2, 2))).given == 0


def test_maps_are_sampled_at_the_centres_of_the_new_pixels():
    columns = np.tile(np.arange(8), (1, 6, 1))
    np.testing.assert_array_equal(resize_nearest(columns, (3, 4))[0], np.tile([1, 3, 5, 7], (3, 1)))
    np.testing.assert_array_equal(resize_nearest(columns, (6, 8)), columns)
    np.testing.assert_array_equal(resize_nearest(columns, (12, 16))[0, 0], np.repeat(np.arange(8), 2))


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 9), st.integers(1, 9))
def test_resizing_invents_no_values(seed: int, height: int, width: int):
    labels = np.random.default_rng(seed).integers(0, 12, (2, 5, 7)).astype(np.uint8)
    resized = resize_nearest(labels, (height, width))
    assert resized.shape == (2, height, width)
    assert resized.dtype == np.uint8
    assert all(set(np.unique(resized[i])) <= set(np.unique(labels[i])) for i in range(2))
