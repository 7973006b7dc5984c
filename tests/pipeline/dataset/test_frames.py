from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.contract.errors import CorruptStore, StageMissing
from pipeline.dataset.frames import Dataset
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return unpack_earlier_dataset(tmp_path)


def test_a_frame_is_what_the_store_holds(data: Path):
    frame = Dataset(data)[2]
    scene = zarr.open_group(data / "videos" / VIDEO / "scene.zarr", mode="r")
    stored = {name: np.asarray(scene[name])[frame.row] for name in ("frames/rgb", "scene/depth", "occupancy/labels")}
    assert (frame.video_id, frame.clip_id, frame.split) == (VIDEO, 1, "train")
    assert np.array_equal(frame.picture, stored["frames/rgb"])
    assert np.array_equal(frame.depth, stored["scene/depth"].astype(np.float32))
    assert np.array_equal(frame.grid.labels, stored["occupancy/labels"])
    assert np.array_equal(frame.camera.intrinsics, np.asarray(scene["scene/intrinsics"])[frame.row])
    assert np.allclose(frame.camera.camera_to_world[3], (0, 0, 0, 1))
    assert frame.labels.shape == frame.regions.shape == frame.depth.shape


def test_a_dataset_is_a_sequence(data: Path):
    frames = Dataset(data)
    assert len(frames) == FRAMES
    assert [frame.row for frame in frames] == list(range(FRAMES))
    assert [frame.row for frame in frames[1:-1:2]] == [1, 3]
    assert frames[-1].row == FRAMES - 1
    with pytest.raises(IndexError, match=f"there are {FRAMES} frames, no frame {FRAMES}"):
        frames[FRAMES]
    with pytest.raises(IndexError):
        frames[-FRAMES - 1]


def test_frames_that_were_looked_at_do_not_stay_in_memory(data: Path):
    frames = Dataset(data)
    looked_at = frames[0]
    assert looked_at.picture is looked_at.picture, "a frame reads once"
    assert "picture" not in vars(frames[0]), "the dataset keeps no pictures"


def test_a_split_or_a_video_may_be_asked_for(data: Path):
    assert len(Dataset(data, "train")) == FRAMES
    assert list(Dataset(data, "validation")) == []
    assert len(Dataset(data, video_id=VIDEO)) == FRAMES
    assert len(Dataset(data, video_id="tour-6")) == 0
    with pytest.raises(ValueError, match="not 'test'"):
        Dataset(data, "test")  # type: ignore[arg-type]


def test_a_folder_without_a_dataset_says_what_to_do(tmp_path: Path):
    with pytest.raises(StageMissing, match="make build_dataset"):
        Dataset(tmp_path)


def test_an_index_that_cannot_be_read_is_named(data: Path):
    (data / "dataset" / "index.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(CorruptStore, match=r"index\.parquet is no Parquet file.*made again"):
        Dataset(data)
