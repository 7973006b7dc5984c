"""Stored arrays as records, by the rows that a clip has in every array."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import StageMissing
from pipeline.contract.records import ClipScores
from pipeline.contract.scale import ScaleSource
from pipeline.store.rows import (
    clip_rows,
    has_embeddings,
    read_labels,
    read_reconstruction,
    read_scene,
    stored_clips,
)
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

CLIP: dict[str, Any] = {
    "clip_id": 2,
    "start_frame": 10,
    "end_frame": 40,
    "frame_index": [12, 20, 31],
    "time_s": [1.2, 2.0, 3.1],
    "sharpness": [5.0, 6.5, 7.0],
    "motion": 0.02,
}
SCORES = {"motion": 0.02, "shake": 0.1, "brightness": 0.5, "clipped": 0.0, "drawn": 0.1, "overlay": None, "split": 0.3}
N, H, W = 4, 3, 5


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    return Store(tmp_path).video("a")


def geometry() -> dict[str, np.ndarray]:
    """Arrays of four frames in which row i holds i."""
    row = np.arange(N)
    return {
        "intrinsics": np.broadcast_to(row[:, None, None], (N, 3, 3)).astype(np.float32),
        "camera_to_world": np.broadcast_to(row[:, None, None], (N, 4, 4)).astype(np.float32),
        "depth": np.broadcast_to(row[:, None, None], (N, H, W)).astype(np.float16),
        "confidence": np.broadcast_to(row[:, None, None] / 4, (N, H, W)).astype(np.float16),
        "registered": row % 2 == 0,
    }


def write(video: VideoStore, group: str, arrays: dict[str, np.ndarray]) -> None:
    with video.write_group(group) as writer:
        for name, rows in arrays.items():
            writer.append(name, rows)


def test_clips_read_back_with_their_types(video: VideoStore):
    scores = {**SCORES, "repeats": 0.25}
    video.write_table("clips.parquet", pa.Table.from_pylist([{**CLIP, "scores": scores}, {**CLIP, "clip_id": 5}]))
    scored, bare = stored_clips(video)
    assert (scored.clip_id, scored.start_frame, scored.end_frame, scored.motion) == (2, 10, 40, 0.02)
    assert (scored.frame_index.dtype, scored.time_s.dtype, scored.sharpness.dtype) == (np.int64, np.float64, np.float32)
    assert scored.frame_index.tolist() == [12, 20, 31]
    assert scored.scores == ClipScores(**scores)
    assert (bare.clip_id, bare.scores) == (5, None)


def test_clips_of_a_release_without_scores_and_with_columns_of_later_stages_are_read(video: VideoStore):
    video.write_table("clips.parquet", pa.Table.from_pylist([{**CLIP, "indoor_score": 0.9}]))
    (clip,) = stored_clips(video)
    assert clip.scores is None
    assert clip.sharpness.tolist() == [5.0, 6.5, 7.0]


def test_clips_that_were_not_cut_yet_are_missing(video: VideoStore):
    with pytest.raises(StageMissing, match=r"no clips\.parquet"):
        stored_clips(video)


def test_a_clip_has_the_same_rows_in_every_array(video: VideoStore):
    write(video, "frames", {"clip_id": np.array([0, 0, 0, 3, 3, 7], np.int32)})
    assert clip_rows(video) == [(0, slice(0, 3)), (3, slice(3, 5)), (7, slice(5, 6))]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
@settings(max_examples=15)
def test_rows_of_clips_tile_the_array(tmp_path_factory: pytest.TempPathFactory, lengths: list[int]):
    video = Store(tmp_path_factory.mktemp("rows")).video("a")
    write(video, "frames", {"clip_id": np.repeat(np.arange(len(lengths)) * 2, lengths).astype(np.int32)})
    found = clip_rows(video)
    assert [clip_id for clip_id, _ in found] == [2 * i for i in range(len(lengths))]
    assert [rows.stop - rows.start for _, rows in found] == lengths
    assert np.concatenate([np.arange(rows.start, rows.stop) for _, rows in found]).tolist() == list(range(sum(lengths)))


def test_a_clips_cameras_and_depth_are_those_of_its_rows(video: VideoStore):
    write(video, "reconstruction", geometry())
    found = read_reconstruction(video, slice(1, 3))
    assert found.depth[:, 0, 0].tolist() == found.intrinsics[:, 0, 0].tolist() == [1, 2]
    assert found.camera_to_world[:, 0, 0].tolist() == [1, 2]
    assert found.confidence[:, 0, 0].tolist() == [0.25, 0.5]
    assert found.registered.tolist() == [False, True]
    assert (found.depth.dtype, found.confidence.dtype) == (np.float32, np.float32), "half precision is for the disk"


def test_another_group_that_holds_cameras_is_read_the_same_way(video: VideoStore):
    write(video, "other", geometry())
    assert read_reconstruction(video, slice(0, 4), "other").depth.shape == (N, H, W)


def test_a_scene_has_what_its_clip_says_in_its_first_row(video: VideoStore):
    per_clip = {
        "ceiling_height": np.array([2.8, 2.8, np.nan, np.nan], np.float32),
        "up_confidence": np.array([0.5, 0.5, 0.25, 0.25], np.float32),
        "scale_source": np.array([1, 1, 4, 4], np.uint8),
        "world_from_reconstruction": np.stack([np.eye(4)] * 2 + [2 * np.eye(4)] * 2),
    }
    write(video, "scene", geometry() | per_clip)
    first, second = read_scene(video, slice(0, 2)), read_scene(video, slice(2, 4))
    assert first.ceiling_height == pytest.approx(2.8)
    assert np.isnan(second.ceiling_height)
    assert (first.scale_source, second.scale_source) == (ScaleSource.FLOOR_TO_CEILING, ScaleSource.CAMERA_HEIGHT)
    assert (first.up_confidence, second.up_confidence) == (0.5, 0.25)
    assert np.array_equal(second.world_from_reconstruction, 2 * np.eye(4))
    assert second.depth[:, 0, 0].tolist() == [2, 3]


def test_labels_come_without_the_embeddings_that_may_be_large(video: VideoStore):
    maps = {"labels": np.uint8, "regions": np.uint16, "confidence": np.uint8, "moving": np.bool_}
    arrays = {name: np.ones((N, H, W), kind) for name, kind in maps.items()}
    write(video, "semantics", arrays)
    assert not has_embeddings(video)
    write(video, "semantics", arrays | {"region_embeddings": np.ones((9, 16), np.float16)})
    found = read_labels(video, slice(1, 3))
    assert found.labels.shape == (2, H, W)
    assert found.moving is not None
    assert found.moving.all()
    assert found.region_embeddings is None
    assert has_embeddings(video)


def test_a_video_without_labels_has_no_embeddings(video: VideoStore):
    assert not has_embeddings(video)
