"""A rendered tour through a lens that bends gets its focal length, cameras and depth, on straight pictures."""

import numpy as np
import pytest

from pipeline.geometry.distortion import Distortion
from pipeline.geometry.poses import depth_errors, pose_errors, resize_nearest
from pipeline.quality.calibration.filmed import HOUSE
from pipeline.stages.base import StageResult
from pipeline.stages.reconstruction.stage import reconstruction
from pipeline.store.rows import read_distortion, read_pictures, read_reconstruction
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.tour import FrameTruth, Tour
from tests.pipeline.stages.filling import filled, workbench_of

K1, FRAMES = -0.1, 8


@pytest.fixture(scope="module")
def tour() -> Tour:
    return Tour.from_seed(501, HOUSE.model_copy(update={"effects": EffectSettings(distortion=(K1, K1))}))


@pytest.fixture(scope="module")
def truths(tour: Tour) -> list[FrameTruth]:
    return [tour.truth(int(frame)) for frame in _frames(tour)]


def _frames(tour: Tour) -> list[int]:
    return np.linspace(0, tour.frame_count - 1, FRAMES).astype(int).tolist()


@pytest.fixture(scope="module")
def built(tour: Tour, tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoStore, StageResult]:
    video = Store(tmp_path_factory.mktemp("tour")).video("tour")
    with video.write_group("frames") as group:
        group.append("rgb", np.stack([tour.picture(frame) for frame in _frames(tour)]))
        group.append("clip_id", np.zeros(FRAMES, np.int32))
    small = {"reconstruction": {"colmap": {"sweep": {"width": 160}}}}
    return video, filled(reconstruction, workbench_of(video, **small))


def test_cameras_and_depth_are_those_of_the_straightened_pictures(
    built: tuple[VideoStore, StageResult], truths: list[FrameTruth]
):
    video, _ = built
    found, row = read_reconstruction(video, slice(0, FRAMES)), read_distortion(video)
    assert row is not None
    lens = Distortion.of_row(row)
    true = lens.straightened_intrinsics(np.stack([truth.intrinsics for truth in truths]))
    assert found.registered.all()
    # 6 % too long by the film itself.
    assert found.intrinsics[:, 0, 0] == pytest.approx(true[:, 0, 0], rel=0.02)
    assert pose_errors(found.camera_to_world, np.stack([truth.camera_to_world for truth in truths])).auc(5) > 0.95
    depth = lens.straightened_maps(np.stack([truth.depth for truth in truths]))
    assert depth_errors(found.depth, resize_nearest(depth, found.depth.shape[1:])).absolute_relative < 0.06


def test_the_bend_is_the_drawn_one(built: tuple[VideoStore, StageResult], tour: Tour):
    _, result = built
    focal = float(tour.intrinsics[0, 0])
    drawn = K1 * (400 / focal) ** 2
    assert result.counts["lens_k1"] + result.counts["lens_k2"] == pytest.approx(drawn, abs=0.006)
    assert "straightened" in result.notes[0]


def test_pictures_are_those_of_a_pinhole(built: tuple[VideoStore, StageResult]):
    video, _ = built
    straight, film = read_pictures(video, slice(0, 1))[0], video.read("frames", "rgb", slice(0, 1))[0]
    assert straight.shape == film.shape
    assert np.abs(straight[235:245, 315:325].astype(int) - film[235:245, 315:325]).mean() < 3, "the middle stays"
    assert np.abs(straight.astype(int) - film).mean() > 5, "the rest moves"
