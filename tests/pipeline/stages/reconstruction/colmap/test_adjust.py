"""Cameras after mapping: adjusted, tested against halves of themselves, and brought into our own types."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.geometry.poses import pose_errors
from pipeline.stages.reconstruction.colmap.settings import TrustSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.trust import check_cameras

FRAMES, POINTS, FOCAL, NOISE, STRETCH, SURE = 8, 200, 450.0, 0.3, 1.2, 4.0
"""As in ``synthetic`` and ``adjust``, which are not imported here: COLMAP and OpenCV clash in one process."""


@pytest.fixture(scope="module")
def model(folder: Path) -> SparseModel:
    return SparseModel.load(folder / "square.npz")


def test_cameras_come_back_from_a_focal_length_that_was_off(model: SparseModel, folder: Path):
    with np.load(folder / "truth.npz") as truth:
        errors = pose_errors(model.camera_to_world[:FRAMES], truth["poses"])
    # 0.3 pixels on 200 points in 8 frames leave 0.3 / 450 / sqrt(200) rad a frame: three thousandths of a degree.
    assert errors.rotation.max() < 0.1
    assert model.intrinsics[0, 0] == model.intrinsics[1, 1] == pytest.approx(FOCAL, rel=0.01)
    assert model.intrinsics[:2, 2].tolist() == [320, 240]


def test_frames_that_no_model_holds_are_zero(model: SparseModel):
    assert model.registered.tolist() == [True] * FRAMES + [False]
    assert not model.camera_to_world[FRAMES].any()


def test_observations_say_which_frame_sees_which_point(model: SparseModel, found: dict[str, Any]):
    assert model.points.shape == (POINTS, 3)
    assert len(model.observed_frame) == len(model.observed_point)
    assert found["observations"] == [[POINTS, 3], [POINTS] * FRAMES, POINTS - 1], "every frame sees all of them"
    assert (model.depths() > 0).all()


def test_what_is_left_is_the_noise(model: SparseModel):
    # A point 0.3 pixels off in both directions is off by sqrt(pi / 2) * 0.3 on average, a little of which is fitted.
    assert model.reprojection_error == pytest.approx(math.sqrt(math.pi / 2) * NOISE, rel=0.1)


def test_both_halves_of_a_sound_clip_agree_with_the_whole(model: SparseModel):
    assert model.halves_focal == pytest.approx([FOCAL, FOCAL], rel=0.03)
    assert (model.halves_rotation < 0.5).all()


def test_where_it_came_from_is_kept(model: SparseModel):
    assert (model.parallax, model.model_sizes) == (20.0, (FRAMES, 0))


def test_a_sound_model_is_trusted(model: SparseModel):
    check_cameras(model, TrustSettings())


def test_pixels_that_are_not_square_get_two_focal_lengths(found: dict[str, Any]):
    across, down = found["stretched"]
    assert across == pytest.approx(FOCAL, rel=0.01)
    assert down == pytest.approx(STRETCH * FOCAL, rel=0.01)


def test_pixels_that_are_nearly_square_are_taken_as_square(found: dict[str, Any]):
    across, down = found["nearly square"]
    assert across == down, "two per cent are less than what noise and small rooms make of square pixels"


def test_a_second_focal_length_is_sure_where_there_is_one_and_like_noise_where_there_is_none(found: dict[str, Any]):
    # of F with one degree of freedom, 1 in 22 lies above 4, and half below 0.45
    square, others = (np.array(found[f"falls of {name}"]) for name in ("square pixels", "others"))
    assert (square > -1e-3).all()
    assert (square > SURE).sum() <= 4
    assert 0.1 < np.median(square) < 1.2
    assert (others > SURE).all()


def test_a_focal_length_is_as_sure_as_it_says(found: dict[str, Any]):
    focal, deviation = np.array(found["deviations"]).T
    errors = np.log(focal / FOCAL) / deviation
    # the mean square of 20 standard normals lies within 0.4 and 1.9 in 99 of 100; it is one draw, that of the seeds
    assert 0.4 < np.mean(errors**2) < 1.9


def test_a_focal_length_that_is_known_is_held(found: dict[str, Any]):
    assert found["held"] == [1.02 * FOCAL] * 2


def test_adjusting_never_fits_worse(found: dict[str, Any]):
    before, after = found["errors"]
    assert after < 0.5 * before


def test_half_of_a_clip_tells_its_focal_length_and_two_frames_tell_none(found: dict[str, Any]):
    focal, rotation = found["half"]
    assert focal == pytest.approx(FOCAL, rel=0.05)
    assert rotation < 1
    assert all(math.isnan(value) for value in found["short half"])
