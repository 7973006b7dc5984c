"""Single frames of many videos: what is read, when, and what a damaged array says."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import ChangedSinceIndexed, CorruptStore, StageMissing
from pipeline.store.frames import OPEN_VIDEOS, Camera, Frame, FrameReader, Grid
from pipeline.store.indexed import as_indexed
from pipeline.store.store import Store

ROWS = 3


def store_numbers(store: Store, video_id: str, number: int, **noted: str) -> None:
    """Three frames of a video in which everything says which video and row it is of; every group notes ``noted``."""
    row = 10 * number + np.arange(ROWS)
    video = store.video(video_id)
    with video.write_group("frames", noted) as group:
        group.append("rgb", np.broadcast_to(row[:, None, None, None], (ROWS, 6, 8, 3)).astype(np.uint8))
    with video.write_group("scene", noted) as group:
        group.append("intrinsics", np.broadcast_to(row[:, None, None], (ROWS, 3, 3)).astype(np.float32))
        group.append("camera_to_world", np.broadcast_to(row[:, None, None], (ROWS, 4, 4)).astype(np.float32))
        group.append("depth", np.broadcast_to(row[:, None, None], (ROWS, 3, 4)).astype(np.float16))
    with video.write_group("semantics", noted) as group:
        group.append("labels", np.broadcast_to(row[:, None, None], (ROWS, 3, 4)).astype(np.uint8))
        group.append("regions", np.broadcast_to(row[:, None, None], (ROWS, 3, 4)).astype(np.uint16))
    with video.write_group("occupancy", noted) as group:
        group.append("labels", np.broadcast_to(row[:, None, None, None], (ROWS, 2, 2, 2)).astype(np.uint8))
        group.append("origin", np.broadcast_to(row[:, None], (ROWS, 3)).astype(np.float32))
        group.append("grid_from_world", np.broadcast_to(row[:, None, None], (ROWS, 4, 4)).astype(np.float32))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("frames"))
    for number, video_id in enumerate(("a", "b")):
        store_numbers(store, video_id, number)
    return store


def frame(store: Store, video_id: str, row: int) -> Frame:
    return Frame(video_id, row, 4, "train", 1.5, FrameReader(store))


def test_a_row_or_some_rows_of_any_array_are_read(store: Store):
    reader = FrameReader(store)
    assert (reader.read("b", "scene/depth", 2) == 12).all()
    assert reader.read("b", "scene/depth", 2).shape == (3, 4)
    assert reader.read("a", "occupancy/origin", slice(1, 3)).tolist() == [[1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize("number", range(2))
def test_all_that_a_frame_holds_is_of_its_video_and_its_row(store: Store, number: int):
    one = frame(store, "ab"[number], 1)
    expected = 10 * number + 1
    arrays = (one.picture, *one.camera, one.depth, one.labels, one.regions, *one.grid)
    assert all((array == expected).all() for array in arrays)


def test_arrays_have_the_shapes_and_types_that_readers_rely_on(store: Store):
    one = frame(store, "a", 0)
    assert (one.picture.dtype, one.labels.dtype, one.regions.dtype) == (np.uint8, np.uint8, np.uint16)
    assert (one.depth.shape, one.depth.dtype) == ((3, 4), np.float32), "stored in float16, given in float32"
    assert isinstance(one.camera, Camera)
    assert one.camera.camera_to_world.shape == (4, 4)
    assert isinstance(one.grid, Grid)
    assert one.grid.origin.shape == (3,)


def test_a_frame_reads_once_and_only_what_is_looked_at(store: Store):
    one = frame(store, "a", 0)
    assert one.depth is one.depth
    assert {"picture", "labels", "grid"}.isdisjoint(vars(one))


def test_frames_are_equal_where_they_are_of_the_same_place(store: Store):
    assert frame(store, "a", 1) == frame(store, "a", 1)
    assert frame(store, "a", 1) != frame(store, "a", 2)
    assert "reader" not in repr(frame(store, "a", 1))


@pytest.mark.parametrize(("array", "row"), [("scene/normals", 0), ("scene/depth", ROWS)])
def test_what_does_not_read_back_is_named(store: Store, array: str, row: int):
    with pytest.raises(CorruptStore, match=f"a: {array}.* does not read back"):
        FrameReader(store).read("a", array, row)


@pytest.mark.parametrize(
    ("video_id", "array", "advice"),
    [("a", "flow/depth", "run the stage 'flow' first"), ("nobody", "scene/depth", "dropped, or yet to be built")],
)
def test_a_group_that_is_not_there_is_named_with_what_to_do(store: Store, video_id: str, array: str, advice: str):
    with pytest.raises(StageMissing, match=f"{video_id} has no group .*: {advice}"):
        FrameReader(store).read(video_id, array, 0)


def test_frames_of_a_group_that_was_made_again_since_the_index_are_refused(tmp_path: Path):
    store, reader = Store(tmp_path), FrameReader(Store(tmp_path))
    store_numbers(store, "a", 0, fingerprint="1")
    indexed = as_indexed({"scene": "1"})
    assert (reader.read("a", "scene/depth", 0, indexed) == 0).all()
    store_numbers(store, "a", 0, fingerprint="1")
    assert (reader.read("a", "scene/depth", 1, indexed) == 1).all(), "made again, but the same"
    store_numbers(store, "a", 5, fingerprint="2")
    for again in (reader, FrameReader(store)):
        with pytest.raises(ChangedSinceIndexed, match="a: 'scene' was made again since the dataset was written"):
            again.read("a", "scene/depth", 0, indexed)
    assert (reader.read("a", "scene/depth", 0) == 50).all(), "without an index nothing is expected of it"
    assert (reader.read("a", "scene/depth", 0, as_indexed({"scene": "2"})) == 50).all()
    assert (reader.read("a", "scene/depth", 0, as_indexed({"frames": "9"})) == 50).all(), "of another group"


def test_a_damaged_chunk_is_named(tmp_path: Path):
    store = Store(tmp_path)
    store_numbers(store, "a", 0)
    chunk = next(path for path in (tmp_path / "videos/a/scene.zarr/scene/depth/c").rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-20])
    with pytest.raises(CorruptStore, match=r"scene/depth/c/0/0/0 has [0-9]+ bytes instead of"):
        FrameReader(store).read("a", "scene/depth", 0)


def test_a_reader_goes_to_other_processes_without_its_open_files(store: Store):
    reader = FrameReader(store)
    reader.read("a", "scene/depth", 0)
    arrived = pickle.loads(pickle.dumps(reader))  # noqa: S301 - bytes of our own
    assert arrived._open == {}
    assert reader._open, "the one that was sent keeps its own"
    assert (arrived.read("b", "scene/depth", 1) == 11).all()


def test_only_so_many_videos_stay_open_and_those_closed_are_opened_again(tmp_path: Path):
    store = Store(tmp_path)
    for number in range(OPEN_VIDEOS + 3):
        with store.video(f"v{number}").write_group("scene") as group:
            group.append("depth", np.full((1, 1), number, np.int16))
    reader = FrameReader(store)
    for number in (*range(OPEN_VIDEOS + 3), 0):
        assert reader.read(f"v{number}", "scene/depth", 0).tolist() == [number]
        assert len(reader._open) <= OPEN_VIDEOS
