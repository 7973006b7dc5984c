"""Structure from motion on pictures of a speckled room whose cameras are known; it runs in a process of its own."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.geometry.poses import pose_errors
from pipeline.stages.reconstruction.colmap.evidence import signs_of
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings, TrustSettings, WalkSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.task import OWN_FRAMES
from pipeline.stages.reconstruction.colmap.trust import check_cameras
from pipeline.stages.reconstruction.first_look import LensFit
from tests.paths import ROOT
from tests.pipeline.box_room import INTRINSICS, looking
from tests.pipeline.room_video import picture_of_room

FRAMES = 6
CAMERAS = [
    looking((0.8 + 0.4 * i, 0.4 + 0.08 * (i - 2.5) ** 2, 1.2 + 0.1 * i), (2.2 - 0.05 * i, 2.8, 0.8))
    for i in range(FRAMES)
]
"""On an arc about the middle of the room, which tells the focal length."""

QUICK = ColmapSettings(sparse=SparseSettings(max_features=800, precise=5.0))


def solved(folder: Path, frames: list[NDArray[np.uint8]], settings: ColmapSettings = QUICK) -> SparseModel:
    """What the module makes of frames, as the backend calls it."""
    (folder / "frames").mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / "frames" / f"{number:06d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    (folder / "settings.json").write_text(settings.model_dump_json())
    (folder / "task.json").write_text(OWN_FRAMES.model_dump_json())
    command = [sys.executable, "-m", "pipeline.stages.reconstruction.colmap.sparse", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return SparseModel.load(folder / "sparse.npz")


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    return [picture_of_room(camera) for camera in CAMERAS]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, pictures: list[NDArray[np.uint8]]) -> tuple[Path, SparseModel]:
    folder = tmp_path_factory.mktemp("walk")
    return folder, solved(folder, pictures)


def test_the_cameras_of_a_walk_are_found(walk: tuple[Path, SparseModel]):
    _, model = walk
    assert model.registered.all()
    errors = pose_errors(model.camera_to_world, np.stack(CAMERAS))
    # Half a pixel of 500, the mean reprojection error, is 0.06 degrees; the directions of steps of 0.4 m at 2.5 m are
    # six times as uncertain.
    assert errors.rotation.max() < 0.6
    assert errors.translation_direction.max() < 2
    assert model.intrinsics[0, 0] == pytest.approx(INTRINSICS[0, 0], rel=0.02)
    check_cameras(model, TrustSettings())


def test_two_focal_lengths_to_start_from_agree_and_matches_bear_the_cameras_out(walk: tuple[Path, SparseModel]):
    _, model = walk
    signs = signs_of(model)
    assert signs["missing"] == 0
    assert signs["apart"] < 0.5
    assert signs["epipolar"] < QUICK.walks.max_error
    assert signs["contradicted"] == 0
    assert model.prior in {QUICK.sparse.focal_prior, QUICK.walks.second_prior}
    truth = [pose_errors(np.stack(CAMERAS[k : k + 2]), np.stack([CAMERAS[k]] * 2)).rotation[0] for k in range(5)]
    # A focal length of 0.6 where 0.78 is true makes turns a tenth too large.
    np.testing.assert_allclose(model.turns, truth, rtol=0.15)


def test_points_lie_before_the_cameras_that_see_them(walk: tuple[Path, SparseModel]):
    _, model = walk
    assert len(model.points) > 50
    assert (model.depths() > 0).mean() > 0.99
    assert model.parallax > TrustSettings().min_parallax


def test_coarse_features_are_enough_where_they_are_precise_enough(walk: tuple[Path, SparseModel]):
    folder, model = walk
    assert [path.name for path in folder.glob("*.db")] == ["matches_0.db"]
    assert model.reprojection_error < QUICK.sparse.precise


def test_fine_features_say_something_of_the_lens_too(
    walk: tuple[Path, SparseModel], tmp_path: Path, pictures: list[NDArray[np.uint8]]
):
    _, coarse = walk
    exact = ColmapSettings(sparse=SparseSettings(max_features=800, precise=0.01), walks=WalkSettings(fast_turn=90))
    fine = solved(tmp_path, pictures, exact)
    assert {path.name for path in tmp_path.glob("*.db")} == {"matches_0.db", "matches_-1.db"}
    assert len(fine.points) != len(coarse.points), "the fine ones count"
    fits = [LensFit.of_array(model.lens_fit) for model in (coarse, fine)]
    assert all(fit.weight > 0 and not fit.lens.bends for fit in fits)


def test_a_camera_that_stands_still_is_given_up_at_once(tmp_path: Path, pictures: list[NDArray[np.uint8]]):
    model = solved(tmp_path, pictures[:1] * 3)
    assert not model.registered.any()
    assert model.parallax < QUICK.trust.min_parallax
    assert [path.name for path in tmp_path.glob("*.db")] == ["matches_0.db"], "finer features would not help"


def test_frames_that_match_nothing_end_without_a_camera(tmp_path: Path):
    blank = [np.full((480, 640, 3), level, np.uint8) for level in (90, 120, 150)]
    model = solved(tmp_path, blank)
    assert model.model_sizes == ()
    assert np.isnan(model.parallax)
    assert [path.name for path in tmp_path.glob("*.db")] == ["matches_0.db"], "finer features are no cure"


def test_settings_that_cannot_be_read_end_it_with_a_word(tmp_path: Path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "settings.json").write_text('{"sparse": {"max_features": -1}}')
    command = [sys.executable, "-m", "pipeline.stages.reconstruction.colmap.sparse", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "max_features" in ended.stderr
    assert not (tmp_path / "sparse.npz").exists()
