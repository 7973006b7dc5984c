"""Our own dataset: frames in their grids' own frame, versions, splits, and arrays that are damaged."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import CorruptStore, FrozenSeeds
from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.frozen import FROZEN, pass_for_frozen
from tests.pipeline.renamed import copy_video
from tests.pipeline.stages.filling import replaced
from tests.training.rooms import stored_frames
from training.data import StoredFrames
from training.errors import UnusableDataset


def test_the_stored_dataset_gives_frames_in_the_grids_own_frame(tmp_path: Path):
    frames = stored_frames(tmp_path)
    assert len(frames) == 6
    sample = frames[3]
    video = Store(tmp_path).video("room")
    assert np.array_equal(sample.labels, video.read("occupancy", "labels")[3])
    assert np.array_equal(sample.rgb, video.read("frames", "rgb")[3])
    assert abs(sample.camera_to_world[1, 2]) > abs(sample.camera_to_world[0, 2]), "looks along +y"
    occupied = (sample.labels > 0) & (sample.labels < SemanticClass.UNKNOWN)
    visible = sample.projection.visible(sample.depth).reshape(sample.labels.shape)
    assert (occupied & visible).sum() > 500


def test_where_a_lens_bent_the_film_the_straightened_pictures_are_given(tmp_path: Path):
    frames = stored_frames(tmp_path)
    video = Store(tmp_path).video("room")
    straight = video.read("frames", "rgb")[:, ::-1]
    replaced(video, "reconstruction", rgb=straight, distortion=np.tile([-0.1, 0, 0, 0, 1], (len(straight), 1)))
    again = StoredFrames(frames.store, "all")
    assert np.array_equal(again[3].rgb, straight[3])
    for file in (tmp_path / "videos" / "room" / "scene.zarr" / "reconstruction" / "rgb" / "c").rglob("0"):
        if file.is_file():
            file.unlink()
    with pytest.raises(UnusableDataset, match="no frame"):
        StoredFrames(frames.store, "all")


def test_a_pinned_version_is_kept_to(tmp_path: Path):
    frames = stored_frames(tmp_path)
    assert StoredFrames(frames.store, "all", frames.version).version == frames.version
    with pytest.raises(UnusableDataset, match=f"now version {frames.version}"):
        StoredFrames(frames.store, "all", "0123456789ab")


def test_one_video_cannot_be_split_and_the_error_says_so(tmp_path: Path):
    frames = stored_frames(tmp_path)
    empty = "validation" if StoredFrames(frames.store, "train").names else "train"
    with pytest.raises(UnusableDataset, match="videos are split as a whole"):
        StoredFrames(frames.store, empty)


def test_no_dataset_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(UnusableDataset, match="build_dataset"):
        StoredFrames(Store(tmp_path))


def test_a_damaged_array_names_video_array_and_row(tmp_path: Path):
    frames = stored_frames(tmp_path)
    for chunk in (tmp_path / "videos" / "room" / "scene.zarr" / "occupancy" / "labels" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(bytes(chunk.stat().st_size))
    with pytest.raises(CorruptStore, match="room: occupancy/labels row 0"):
        frames[0]


@pytest.mark.parametrize("fault", ["lost", "made again"])
def test_a_video_that_is_not_what_the_dataset_was_written_from_is_left_out_by_name(tmp_path: Path, fault: str):
    whole = stored_frames(tmp_path)
    store = Store(tmp_path)
    copy_video(store, "room", "hall")
    build_dataset(store, DatasetSettings())
    group = tmp_path / "videos" / "hall" / "scene.zarr" / "semantics"
    if fault == "lost":
        next(path for path in (group / "regions" / "c").rglob("*") if path.is_file()).unlink()
    else:
        content = json.loads((group / "zarr.json").read_text())
        content["attributes"]["fingerprint"] = "0" * 16
        (group / "zarr.json").write_text(json.dumps(content))
    found = StoredFrames(store, "all")
    assert found.rows == whole.rows
    assert list(found.left_out) == ["hall"]
    assert ("is missing" if fault == "lost" else "was made again") in found.left_out["hall"]


def test_nothing_is_trained_on_frozen_tours(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    assert len(StoredFrames(Store(data), "all")) == FRAMES
    frozen_id = pass_for_frozen(data, VIDEO)
    index = pq.read_table(data / "dataset" / "index.parquet")
    renamed = pa.array([frozen_id] * len(index))
    pq.write_table(
        index.set_column(index.column_names.index("video_id"), "video_id", renamed), data / "dataset" / "index.parquet"
    )
    with pytest.raises(FrozenSeeds, match=f"tours {FROZEN} are frozen"):
        StoredFrames(Store(data), "all")
