from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import SettingsError, StageMissing
from pipeline.contract.overlap import overlap
from pipeline.geometry.filling import VoxelSettings
from pipeline.quality.measures import overlaps, scale_to_truth
from pipeline.quality.true_grids import true_grids
from pipeline.quality.views import clip_views, with_truth, write_view
from pipeline.store.rows import read_labels, read_scene
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.truth import tour_of, true_clip
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.pipeline.stored_room import store_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> VideoStore:
    return store_room(tmp_path_factory.mktemp("room"))


def test_the_truth_of_a_tour_lies_where_its_grids_do(tmp_path: Path):
    video = Store(unpack_earlier_dataset(tmp_path)).video(VIDEO)
    (view,) = clip_views(video)
    assert view.truth is not None
    assert view.truth.shape == view.grids.shape == (FRAMES, 60, 60, 36)
    scene, labels = read_scene(video, slice(0, FRAMES)), read_labels(video, slice(0, FRAMES))
    tour = tour_of(video)
    assert tour is not None
    truth = true_clip(tour, video.read("frames", "frame_index"))
    measured = overlaps(scene, labels, truth, VoxelSettings())[2]
    here, elsewhere = overlap(view.grids, view.truth), overlap(view.grids, np.roll(view.truth, 12, axis=1))
    assert here.iou == pytest.approx(measured.iou, abs=0.08), "grids lie elsewhere, what is compared is the same"
    assert here.iou > 2 * elsewhere.iou
    assert view.truth_scale == pytest.approx(scale_to_truth(scene, truth), abs=1e-3)
    assert Path(write_view(view, tmp_path / "new")).stat().st_size < 5_000_000


def test_of_what_is_no_tour_the_truth_is_not_known(room: VideoStore):
    (view,) = clip_views(room, truth=False)
    assert true_grids(room, view) is None
    assert with_truth(room, view).truth is None


def test_a_half_built_video_and_a_clip_without_cameras_are_named(tmp_path: Path, room: VideoStore):
    video = Store(tmp_path / "empty").video("half")
    with pytest.raises(StageMissing, match="half has no group 'scene'"):
        next(clip_views(video))
    with pytest.raises(SettingsError, match="no clip 8"):
        next(clip_views(room, 8))


def test_a_page_that_cannot_be_written_is_named(tmp_path: Path, room: VideoStore):
    (view,) = clip_views(room, truth=False)
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(OSError, match="taken"):
        write_view(view, tmp_path / "taken")
