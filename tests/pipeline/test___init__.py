"""What most people need from Python, from ``pipeline`` itself."""

from pathlib import Path

import numpy as np
import pytest

import pipeline
from pipeline import Dataset, find_clips, process, voxelize
from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import BrokenVideo, SettingsError
from pipeline.geometry.filling import VoxelSettings
from pipeline.geometry.voxels import voxelize as of_clip
from pipeline.stages.clips.find import find_clips as of_stage
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.renamed import copy_video
from tests.pipeline.videos import walk, write_video

ROOM = Room(Box((-1.5, -1.0, 0.0), (2.1, 2.9, 2.6)), (Box((0.2, 1.0, 0.0), (1.0, 1.5, 0.9)),))
CAMERAS = [looking((-0.4, -0.6, 1.5), (0.5, 2.0, 0.9)), looking((0.1, -0.5, 1.5), (0.5, 2.0, 0.9))]
SHAPE = (48, 64)


@pytest.fixture(scope="module")
def film_of_a_walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", walk(1, 40), fps=10)


def arrays() -> dict[str, np.ndarray]:
    """A clip whose intrinsics are in pixels of its depth maps, as other programs give them."""
    scene, semantics = film(ROOM, CAMERAS, SHAPE)
    to_depth = np.array([SHAPE[1] / 640, SHAPE[0] / 480, 1.0])[:, None]
    return {
        "depth": scene.depth,
        "intrinsics": scene.intrinsics * to_depth,
        "camera_to_world": scene.camera_to_world,
        "labels": semantics.labels,
    }


def test_everything_that_is_promised_is_there():
    assert sorted(pipeline.__all__) == ["Camera", "Dataset", "Frame", "Grid", "find_clips", "process", "voxelize"]
    for name in pipeline.__all__:
        assert getattr(pipeline, name).__doc__
    with pytest.raises(AttributeError, match="no_such"):
        getattr(pipeline, "no_such")  # noqa: B009


def test_clips_of_a_file_are_those_of_the_stage_with_settings_by_name(film_of_a_walk: Path):
    clips = find_clips(str(film_of_a_walk), frames_per_second=4, frames_min=3)
    expected = of_stage(film_of_a_walk, ClipsSettings(frames_per_second=4, frames_min=3)).clips
    assert [clip.frame_index.tolist() for clip in clips] == [clip.frame_index.tolist() for clip in expected]
    assert clips


@pytest.mark.parametrize("wrong", [{"frames_per_second": -1}, {"no_such": 1}])
def test_a_setting_of_clips_that_is_none_is_named(film_of_a_walk: Path, wrong: dict[str, float]):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        find_clips(film_of_a_walk, **wrong)


def test_a_file_that_is_no_video_has_no_clips(tmp_path: Path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(BrokenVideo):
        find_clips(tmp_path / "text.mp4")


def test_grids_of_arrays_are_those_of_the_clip():
    scene, semantics = film(ROOM, CAMERAS, SHAPE)
    grids, expected = voxelize(**arrays()), of_clip(scene, semantics)
    assert grids.labels.shape == (2, 60, 60, 36)
    # Intrinsics are scaled there and back, in float64 and float32: points on a border of voxels may change sides.
    assert (grids.labels == expected.labels).mean() > 0.999
    np.testing.assert_array_equal(grids.origin, expected.origin)
    assert (grids.labels == SemanticClass.FURNITURE).any()


def test_rules_of_grids_are_given_by_name():
    scene, semantics = film(ROOM, CAMERAS, SHAPE)
    grids, expected = voxelize(**arrays(), ray_spacing=0), of_clip(scene, semantics, VoxelSettings(ray_spacing=0))
    assert (grids.labels == expected.labels).mean() > 0.999
    with pytest.raises(SettingsError, match="reach_m"):
        voxelize(**arrays(), reach_m=0)
    with pytest.raises(SettingsError, match="no_such"):
        voxelize(**arrays(), no_such=1)


@pytest.mark.parametrize("name", ["intrinsics", "camera_to_world", "labels"])
def test_arrays_that_do_not_fit_together_are_refused_by_their_shapes(name: str):
    given = arrays()
    given[name] = given[name][:1]
    with pytest.raises(ValueError, match=r"depth \(2, 48, 64\) wants"):
        voxelize(**given)


def test_a_video_that_is_built_is_processed_at_once_and_returned_as_its_frames(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    told: list[str] = []
    frames = process("tour://5", data, progress=lambda task, *_: told.append(task))
    assert [frame.row for frame in frames] == list(range(FRAMES))
    assert {frame.video_id for frame in frames} == {VIDEO}
    assert isinstance(frames, Dataset)
    assert told == [], "nothing was left to do"


def test_frames_of_one_video_are_returned_of_many(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    copy_video(Store(data), VIDEO, "tour-6")
    assert len(process("tour://5", data)) == FRAMES
    assert len(Dataset(data)) == 2 * FRAMES


def test_single_settings_lie_on_top_of_the_profile(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"clips\.clip_min_s"):
        process("tour://5", tmp_path, settings={"clips": {"clip_min_s": -1}})
    with pytest.raises(SettingsError, match="cubist"):
        process("tour://5", tmp_path, profile="cubist")
    with pytest.raises(SettingsError, match="tour://five"):
        process("tour://five", tmp_path)
    assert list(tmp_path.iterdir()) == [], "refused before anything is written"


def test_a_video_that_cannot_be_built_says_so(tmp_path: Path):
    (tmp_path / "broken.mp4").write_text("no video")
    with pytest.raises(BrokenVideo, match="cannot be decoded: Invalid data"):
        process(str(tmp_path / "broken.mp4"), tmp_path / "data")
