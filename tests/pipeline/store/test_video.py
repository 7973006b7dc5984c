"""The files of one video: groups are there whole or not at all, damage is named, and one process works at a time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import CorruptStore, DiskFull, SettingsError, StageMissing, VideoLocked
from pipeline.store.store import Store
from pipeline.store.video import VideoStore, check_video_id
from tests.paths import ROOT
from tests.pipeline.small_files import files_limited_to

HOLD = """
import sys
from pipeline.store.store import Store
with Store(sys.argv[1]).video("a").locked():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    return Store(tmp_path).video("a")


@pytest.fixture
def remote(tmp_path: Path) -> VideoStore:
    return Store(f"memory://{uuid4().hex}/set", scratch=tmp_path).video("a")


def store_depth(video: VideoStore, value: float, **attributes: object) -> None:
    with video.write_group("scene", attributes) as group:
        group.append("depth", np.full((2, 3), value))


def test_a_group_reads_back_with_plain_zarr(video: VideoStore, tmp_path: Path):
    store_depth(video, 1.5, stage="scene")
    opened = zarr.open_group(tmp_path / "videos" / "a" / "scene.zarr", mode="r")
    assert (np.asarray(opened["scene/depth"]) == 1.5).all()
    assert opened["scene"].attrs["stage"] == "scene"


def test_a_group_of_an_object_store_reads_back(remote: VideoStore):
    store_depth(remote, 2.5, version=1)
    store_depth(remote, 3.5, version=2)
    assert remote.attributes("scene")["version"] == 2
    assert remote.read("scene", "depth", slice(1, 2)).tolist() == [[3.5, 3.5, 3.5]]


def test_rows_are_read_by_slice_or_by_number(video: VideoStore):
    with video.write_group("frames") as group:
        group.append("frame_index", np.arange(10) ** 2)
    assert video.read("frames", "frame_index", slice(2, 4)).tolist() == [4, 9]
    assert video.read("frames", "frame_index", np.array([7, 1])).tolist() == [49, 1]
    assert len(video.read("frames", "frame_index")) == 10


def test_groups_and_arrays_are_told_from_those_that_are_not_there(video: VideoStore):
    assert not video.has_group("scene")
    store_depth(video, 1)
    assert video.has_group("scene")
    assert video.has_array("scene", "depth")
    assert not video.has_array("scene", "labels")
    assert not video.has_group("semantics")


def test_an_error_while_writing_leaves_the_earlier_group(video: VideoStore):
    store_depth(video, 1, version=1)
    with pytest.raises(ValueError, match="shape"), video.write_group("scene", {"version": 2}) as group:
        for columns in (3, 4):
            group.append("depth", np.zeros((2, columns)))
    assert video.attributes("scene")["version"] == 1
    assert (video.read("scene", "depth") == 1).all()


def test_what_a_group_says_of_itself_may_be_found_out_while_it_is_written(video: VideoStore):
    with video.write_group("scene") as group:
        group.append("depth", np.ones((1, 2)))
        group.attributes["seconds"] = 1.5
    assert video.attributes("scene") == {"seconds": 1.5}


def test_a_group_that_takes_the_place_of_another_leaves_none_of_its_arrays(video: VideoStore):
    with video.write_group("scene") as group:
        group.append("depth", np.ones((2, 3)))
        group.append("confidence", np.ones((2, 3)))
    store_depth(video, 2)
    assert not video.has_array("scene", "confidence")


def test_a_group_that_is_set_aside_is_gone_and_its_neighbours_stay(video: VideoStore, tmp_path: Path):
    store_depth(video, 1)
    with video.write_group("semantics") as group:
        group.append("labels", np.ones((2, 3), np.uint8))
    video.set_aside("scene.zarr/scene")
    assert not video.has_group("scene")
    assert not (tmp_path / "videos/a/scene.zarr/scene").exists()
    assert video.read("semantics", "labels").any()
    with pytest.raises(FileNotFoundError):
        video.set_aside("scene.zarr/scene")


def test_a_group_without_its_metadata_does_not_exist(video: VideoStore, tmp_path: Path):
    store_depth(video, 1)
    (tmp_path / "videos/a/scene.zarr/scene/zarr.json").unlink()
    with pytest.raises(StageMissing, match="a has no group 'scene': run the stage 'scene' first"):
        video.read("scene", "depth")
    with pytest.raises(StageMissing):
        video.attributes("scene")


def test_damaged_chunks_are_named_with_the_group_that_is_to_be_made_again(video: VideoStore, tmp_path: Path):
    with video.write_group("scene") as group:
        group.append("depth", np.random.default_rng(0).random((2, 30, 30)))
    chunk = next(path for path in (tmp_path / "videos/a/scene.zarr/scene/depth/c").rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-200])
    with pytest.raises(CorruptStore, match=r"scene/depth/c/0/0/0 has [0-9]+ bytes instead of") as corrupt:
        video.read("scene", "depth")
    assert corrupt.value.group == "scene"


@pytest.mark.parametrize("damage", ["remove", "junk"])
def test_an_array_whose_description_is_damaged_is_named(video: VideoStore, tmp_path: Path, damage: str):
    store_depth(video, 1)
    description = tmp_path / "videos/a/scene.zarr/scene/depth/zarr.json"
    if damage == "remove":
        description.unlink()
    else:
        description.write_text("junk")
    with pytest.raises(CorruptStore, match="scene/depth"):
        video.read("scene", "depth")


def test_what_a_killed_writer_left_behind_is_swept_away_by_the_next(video: VideoStore):
    draft = video.scratch / "groups" / "scene"
    draft.mkdir(parents=True)
    (draft / "zarr.json").write_text("half")
    with video.locked():
        assert not (video.scratch / "groups").exists()
        store_depth(video, 1)
    assert not list(video.scratch.rglob("*.json"))


def test_a_full_disk_is_told_and_the_earlier_group_stays(video: VideoStore):
    store_depth(video, 1, version=1)
    with files_limited_to(2000), pytest.raises(DiskFull), video.write_group("scene", {"version": 2}) as group:
        group.append("depth", np.random.default_rng(0).random((64, 40)))
    assert video.attributes("scene")["version"] == 1
    assert not list((video.scratch / "groups").rglob("*"))


def test_a_video_is_locked_against_a_second_hold_and_free_afterwards(video: VideoStore, tmp_path: Path):
    with video.locked(), pytest.raises(VideoLocked, match="a is being worked on"):
        Store(tmp_path).video("a").locked().__enter__()
    with pytest.raises(KeyError), video.locked():
        raise KeyError
    with Store(tmp_path).video("a").locked(), Store(tmp_path).video("b").locked():
        assert True, "another video is another lock"


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on the video."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_lock_is_given_back_by_a_process_that_is_killed(video: VideoStore, holder: subprocess.Popen[str]):
    with pytest.raises(VideoLocked), video.locked(timeout_s=0.1):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with video.locked(timeout_s=60):
        store_depth(video, 1)
    assert video.has_group("scene")


def test_json_is_written_and_read_back(video: VideoStore, tmp_path: Path):
    video.write_json("source.json", {"title": "ü"})
    assert json.loads((tmp_path / "videos/a/source.json").read_text()) == {"title": "ü"}
    assert video.read_json("source.json") == {"title": "ü"}
    video.remove("source.json")
    with pytest.raises(StageMissing, match=r"a has no source\.json, nor anything else"):
        video.read_json("source.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"3", b"null"])
def test_what_is_no_json_object_is_named(video: VideoStore, content: bytes):
    video.files.write_bytes(content, "videos", "a", "source.json")
    with pytest.raises(CorruptStore, match=r"a/source\.json is no JSON"):
        video.read_json("source.json")


def test_tables_are_written_and_read_back_and_missing_ones_are_told(video: VideoStore):
    video.write_table("clips.parquet", pa.table({"clip_id": [1, 2]}))
    assert video.read_table("clips.parquet")["clip_id"].to_pylist() == [1, 2]
    with pytest.raises(StageMissing):
        video.read_table("other.parquet")
    video.files.write_bytes(b"junk", "videos", "a", "clips.parquet")
    with pytest.raises(CorruptStore):
        video.read_table("clips.parquet")


def test_a_finished_file_is_moved_among_the_videos_files(video: VideoStore, tmp_path: Path):
    (tmp_path / "film").write_bytes(b"film")
    video.place(tmp_path / "film", "source.mp4")
    assert (tmp_path / "videos/a/source.mp4").read_bytes() == b"film"


def test_a_local_file_is_given_where_it_lies(video: VideoStore, tmp_path: Path):
    video.files.write_bytes(b"film", "videos", "a", "source.mp4")
    with video.local_file("source.mp4") as path:
        assert path == tmp_path / "videos/a/source.mp4"
    assert path.exists()


def test_a_remote_file_is_copied_for_the_time_being(remote: VideoStore):
    remote.files.write_bytes(b"film", "videos", "a", "source.mp4")
    with pytest.raises(KeyError), remote.local_file("source.mp4") as path:
        assert path.read_bytes() == b"film"
        raise KeyError
    assert not path.exists()


def test_a_missing_file_is_not_given(video: VideoStore, remote: VideoStore):
    for store in (video, remote):
        with pytest.raises(StageMissing, match=r"source\.mp4"), store.local_file("source.mp4"):
            pass


@given(st.text(max_size=80))
@settings(max_examples=60)
def test_only_plain_ids_become_paths(video_id: str):
    if all(c.isascii() and (c.isalnum() or c in "-_") for c in video_id) and 1 <= len(video_id) <= 64:
        assert check_video_id(video_id) == video_id
    else:
        with pytest.raises(SettingsError):
            check_video_id(video_id)
