from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.errors import InconsistentReconstruction, TooFewRegistered, TooLittleParallax
from pipeline.stages.reconstruction.colmap.settings import TrustSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.trust import check_cameras, is_trusted, least_probability
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, good_model

SETTINGS = TrustSettings()
GOOD = good_model()


def test_a_sound_model_passes():
    check_cameras(GOOD, SETTINGS)


def test_two_frames_are_too_few():
    with pytest.raises(TooFewRegistered, match="2 of 6"):
        check_cameras(replace(GOOD, registered=np.arange(FRAMES) < 2), SETTINGS)


def test_no_match_at_all_is_too_few_frames():
    with pytest.raises(TooFewRegistered, match="0 of 8"):
        check_cameras(SparseModel.empty(8, float("nan")), SETTINGS)


def test_matches_that_a_turn_explains_are_too_little_parallax():
    with pytest.raises(TooLittleParallax, match=r"0\.4 px"):
        check_cameras(SparseModel.empty(8, 0.4), SETTINGS)


def test_points_at_the_horizon_are_too_little_parallax():
    with pytest.raises(TooLittleParallax, match="degrees"):
        check_cameras(replace(GOOD, points=GOOD.points * 40), SETTINGS)


@pytest.mark.parametrize("focal", [100.0, 5000.0, float("nan")])
def test_an_unbelievable_focal_length_is_refused(focal: float):
    intrinsics = GOOD.intrinsics * np.diag([focal / 500, 1, 1])
    with pytest.raises(InconsistentReconstruction, match="focal"):
        check_cameras(replace(GOOD, intrinsics=intrinsics), SETTINGS)


def test_halves_that_ask_for_different_focal_lengths_are_no_reason_to_refuse():
    # It refused RealEstate10K clips placed at 0.95 AUC@5, and no wrong model that other checks let pass.
    check_cameras(replace(GOOD, halves_focal=np.array([400.0, 600.0])), SETTINGS)


def test_a_half_that_turns_its_cameras_is_refused():
    with pytest.raises(InconsistentReconstruction, match=r"9\.0 degrees"):
        check_cameras(replace(GOOD, halves_rotation=np.array([0.1, 9.0])), SETTINGS)


def test_halves_too_short_to_tell_are_no_reason_to_refuse():
    unknown = np.full(2, np.nan)
    check_cameras(replace(GOOD, halves_focal=unknown, halves_rotation=unknown), SETTINGS)


def test_points_behind_the_camera_are_refused():
    points = GOOD.points.copy()
    points[:10, 2] *= -1
    with pytest.raises(InconsistentReconstruction, match="20% of the points"):
        check_cameras(replace(GOOD, points=points), SETTINGS)


@pytest.mark.parametrize(("model", "trusted"), [(GOOD, True), (SparseModel.empty(6, 0.4), False)])
def test_a_model_is_trusted_where_no_check_refuses_it(model: SparseModel, trusted: bool):
    assert is_trusted(model, SETTINGS) == trusted


@pytest.mark.parametrize(("share", "trusted"), [(0.02, True), (0.04, False)])
def test_how_many_points_may_lie_behind_is_a_setting(share: float, trusted: bool):
    points = GOOD.points.copy()
    points[: round(share * len(points)), 2] *= -1
    assert is_trusted(replace(GOOD, points=points), SETTINGS) == trusted
    assert is_trusted(replace(GOOD, points=points), SETTINGS.model_copy(update={"max_behind": 0.05}))


@pytest.mark.parametrize(
    ("sign", "value", "said"),
    [("epipolar", 4.5, r"matches lie 4\.5 px"), ("contradicted", 0.3, "30% of the pairs contradict it")],
)
def test_what_matches_say_against_cameras_is_refused(sign: str, value: float, said: str):
    with pytest.raises(InconsistentReconstruction, match=said):
        check_cameras(signed(**{sign: value}), SETTINGS)


def test_a_camera_that_sees_few_points_is_refused():
    seldom = (GOOD.observed_frame > 0) | (GOOD.observed_point < 12)
    model = replace(
        GOOD,
        observed_frame=GOOD.observed_frame[seldom],
        observed_point=GOOD.observed_point[seldom],
        observed_pixel=GOOD.observed_pixel[seldom],
    )
    with pytest.raises(InconsistentReconstruction, match="sees 12 points, 20 needed"):
        check_cameras(model, SETTINGS)


def test_what_cannot_be_told_is_no_reason_to_refuse():
    check_cameras(replace(GOOD, signs={}), SETTINGS)


@pytest.mark.parametrize(
    ("apart", "step", "believed"),
    [(1.0, 4.0, True), (6.0, 4.0, False), (float("nan"), 4.0, False), (6.0, 2.0, True), (1.0, 60.0, False)],
)
def test_a_long_step_is_believed_where_another_model_has_it_too(apart: float, step: float, believed: bool):
    poses = GOOD.camera_to_world.copy()
    poses[-1, 0, 3] += 0.2 * (step - 1)
    points = GOOD.points * np.array([1, 1, max(1, step / 4)])
    model = replace(signed(apart=apart), camera_to_world=poses, points=points)
    assert is_trusted(model, SETTINGS) == believed


def signed(**signs: float) -> SparseModel:
    return replace(GOOD, signs={**GOOD.signs, **signs})


def test_cameras_whose_lens_zooms_must_be_surer():
    zooms = replace(GOOD, zoom=np.linspace(1, 1.2, FRAMES))
    assert least_probability(GOOD, SETTINGS) == 0.5
    assert least_probability(zooms, SETTINGS) == 0.8
    assert least_probability(zooms, TrustSettings(min_probability=0.9)) == 0.9
    assert least_probability(zooms, TrustSettings(min_probability=0)) == 0, "none is asked of any"
