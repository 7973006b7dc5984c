"""Signs on a model whose cameras are known, and on the same model with a hinge."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.pairs import VerifiedPair, turns_between
from pipeline.stages.reconstruction.colmap.sign_measures import epipolar_distance, signs_of
from pipeline.stages.reconstruction.colmap.signs import CameraSigns, with_best_agreement
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, POINTS, good_model

GOOD = good_model()


def seen(model: SparseModel, frame: int) -> Float64s:
    there = (model.points - model.camera_to_world[frame, :3, 3]) @ model.camera_to_world[frame, :3, :3]
    pixels = there @ model.intrinsics.T
    return np.asarray(pixels[:, :2] / pixels[:, 2:])


def pair(first: int, second: int) -> VerifiedPair:
    """Exact matches of the good model."""
    return VerifiedPair(first, second, seen(GOOD, first), seen(GOOD, second), np.eye(3))


PAIRS = [pair(k, k + 1) for k in range(FRAMES - 1)] + [pair(0, 3), pair(1, 4)]


def hinged(degrees: float) -> SparseModel:
    """The good model, its last three cameras turned rigidly about the fourth."""
    poses = GOOD.camera_to_world.copy()
    turn, hinge = Rotation.from_rotvec([np.radians(degrees), 0, 0]).as_matrix(), poses[3, :3, 3].copy()
    poses[3:, :3, :3] = turn @ poses[3:, :3, :3]
    poses[3:, :3, 3] = (poses[3:, :3, 3] - hinge) @ turn.T + hinge
    return replace(GOOD, camera_to_world=poses)


def test_of_the_truth_every_sign_is_good():
    signs = signs_of(GOOD, PAIRS, looked_at=10)
    assert signs.registered_share == 1
    assert signs.jump == pytest.approx(1)
    assert signs.contradicted == 0
    assert signs.epipolar_p90 == pytest.approx(0, abs=1e-9)
    assert signs.neighbour_rotation == signs.largest_turn == signs.median_turn == pytest.approx(0, abs=1e-5)
    assert signs.fewest_observations == POINTS
    assert signs.weakest_cut == POINTS, "only the neighbours hold the first and the last frame"
    assert signs.verified_share == pytest.approx(0.7)
    assert np.isnan(signs.agreement_rotation)


def test_a_hinge_is_seen_by_what_crosses_it():
    signs = signs_of(hinged(10), PAIRS, looked_at=10)
    # Three of seven pairs cross the hinge.
    assert signs.contradicted == pytest.approx(3 / 7)
    assert signs.epipolar_p90 > 20
    assert signs.largest_turn == pytest.approx(10)
    assert signs.neighbour_rotation > 4
    assert signs.jump == pytest.approx(1), "a hinge alone moves no camera far from its neighbour"


def test_a_pixel_off_its_line_is_so_far_off():
    moved = replace(PAIRS[0], pixels_second=PAIRS[0].pixels_second + np.array([0, 3]))
    # The cameras step sideways: lines are level, and the other way round the distance is the same.
    np.testing.assert_allclose(epipolar_distance(GOOD, moved), 3)


def test_a_long_step_is_a_jump():
    poses = GOOD.camera_to_world.copy()
    poses[4:, 0, 3] += 0.8
    assert signs_of(replace(GOOD, camera_to_world=poses), PAIRS, 10).jump == pytest.approx(5)


def test_one_camera_has_few_signs():
    signs = signs_of(replace(GOOD, registered=np.arange(FRAMES) < 1), PAIRS, 10)
    assert signs.registered_share == pytest.approx(1 / 6)
    assert np.isnan(signs.jump)


def test_models_agree_whatever_their_scale_and_place():
    moved = GOOD.camera_to_world.copy()
    moved[:, :3, 3] = 3 * moved[:, :3, 3] + np.array([1, 2, 3])
    signs = with_best_agreement(CameraSigns(), GOOD.camera_to_world, [hinged(20).camera_to_world, moved])
    assert signs.agreement_rotation == pytest.approx(0, abs=1e-5)
    assert signs.agreement_direction == pytest.approx(0, abs=1e-5)
    assert signs.agreement_shared == 1


def test_a_model_that_shares_few_frames_says_least():
    few = np.where(np.arange(FRAMES)[:, None, None] < 2, GOOD.camera_to_world, 0)
    signs = with_best_agreement(CameraSigns(), GOOD.camera_to_world, [few, hinged(20).camera_to_world])
    assert signs.agreement_rotation > 10
    assert with_best_agreement(CameraSigns(), GOOD.camera_to_world, []) == CameraSigns()


def test_signs_go_through_a_row():
    signs = signs_of(GOOD, PAIRS, 10)
    np.testing.assert_array_equal(CameraSigns.of_row(signs.row()).row(), signs.row())
    with pytest.raises(ValueError, match="shorter"):
        CameraSigns.of_row(np.zeros(3))


def test_turns_are_those_between_neighbours():
    turned = replace(pair(1, 2), rotation=Rotation.from_rotvec([0, np.radians(12), 0]).as_matrix())
    unknown = replace(pair(2, 3), rotation=None)
    np.testing.assert_allclose(turns_between([pair(0, 1), turned, unknown, pair(0, 3)], 4), [0, 12, np.nan], atol=1e-5)
