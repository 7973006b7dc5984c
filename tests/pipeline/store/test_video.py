"""The store: groups are there whole or not at all, and open with plain zarr."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.errors import CorruptStore, SettingsError, StageMissing, VideoLocked
from pipeline.store.group_writer import CHUNKS_PER_SHARD
from pipeline.store.store import Store
from pipeline.store.video import check_video_id


def test_group_reads_back_with_plain_zarr(tmp_path: Path):
    rows = np.arange(150 * 4 * 5, dtype=np.float32).reshape(150, 4, 5)
    with Store(tmp_path).video("a").write_group("scene", {"stage": "scene"}) as group:
        group.append("depth", rows[:7])
        group.append("depth", rows[7:])
    opened = zarr.open_group(tmp_path / "videos" / "a" / "scene.zarr", mode="r")
    np.testing.assert_array_equal(opened["scene/depth"][:], rows)
    assert opened["scene"].attrs["stage"] == "scene"
    files = [p for p in (tmp_path / "videos/a/scene.zarr/scene/depth").rglob("*") if p.is_file()]
    assert len(files) == 1 + -(-150 // CHUNKS_PER_SHARD)


def test_group_of_an_object_store_reads_back(tmp_path: Path):
    store = Store("memory://bucket/set", scratch=tmp_path)
    with store.video("a").write_group("scene", {}) as group:
        group.append("depth", np.ones((3, 2, 2), np.float16))
    assert store.video_ids() == ["a"]
    np.testing.assert_array_equal(store.video("a").read("scene", "depth"), np.ones((3, 2, 2)))


def test_an_error_while_writing_leaves_the_earlier_group(tmp_path: Path):
    video = Store(tmp_path).video("a")
    with video.write_group("scene", {"version": 1}) as group:
        group.append("depth", np.ones((2, 3)))
    with pytest.raises(ValueError, match="shape"), video.write_group("scene", {"version": 2}) as group:
        for columns in (3, 4):
            group.append("depth", np.zeros((2, columns)))
    assert video.attributes("scene")["version"] == 1
    np.testing.assert_array_equal(video.read("scene", "depth"), np.ones((2, 3)))


def test_a_group_without_its_metadata_does_not_exist(tmp_path: Path):
    video = Store(tmp_path).video("a")
    with video.write_group("scene", {}) as group:
        group.append("depth", np.ones((2, 3)))
    (tmp_path / "videos/a/scene.zarr/scene/zarr.json").unlink()
    assert not video.has_group("scene")
    with pytest.raises(StageMissing, match="scene"):
        video.read("scene", "depth")


def test_damaged_chunks_are_named(tmp_path: Path):
    video = Store(tmp_path).video("a")
    with video.write_group("scene", {}) as group:
        group.append("depth", np.random.default_rng(0).random((2, 30, 30)))
    chunk = next(p for p in (tmp_path / "videos/a/scene.zarr/scene/depth").rglob("*") if p.name == "0" and p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-200])
    with pytest.raises(CorruptStore, match="scene/depth"):
        video.read("scene", "depth")


def _write_forever(folder: Path) -> None:
    video = Store(folder).video("a")
    for version in range(1_000_000):
        with video.write_group("scene", {"version": version}) as group:
            group.append("first", np.full((80, 20, 20), version, np.int64))
            group.append("second", np.full((80, 20, 20), version, np.int64))


@pytest.mark.parametrize("delay_s", [0.5, 0.63, 0.77, 0.91])
def test_a_killed_writer_never_leaves_half_a_group(tmp_path: Path, delay_s: float):
    writer = multiprocessing.get_context("spawn").Process(target=_write_forever, args=(tmp_path,))
    writer.start()
    while not (tmp_path / "videos/a/scene.zarr/scene/zarr.json").exists() and writer.is_alive():
        time.sleep(0.01)
    time.sleep(delay_s)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    video = Store(tmp_path).video("a")
    if video.has_group("scene"):
        version = video.attributes("scene")["version"]
        assert (video.read("scene", "first") == version).all()
        assert (video.read("scene", "second") == version).all()
    with video.locked(), video.write_group("scene", {"version": -1}) as group:
        group.append("first", np.full((1, 20, 20), -1))
    assert video.attributes("scene")["version"] == -1
    assert not list((tmp_path / "scratch" / "a").rglob("*.json"))


def test_a_video_is_locked_against_a_second_process(tmp_path: Path):
    with Store(tmp_path).video("a").locked(), pytest.raises(VideoLocked, match="a is being worked on"):
        Store(tmp_path).video("a").locked().__enter__()
    with Store(tmp_path).video("a").locked():
        assert True


def test_table_and_json_round_trip(tmp_path: Path):
    video = Store(tmp_path).video("a")
    video.write_table("clips.parquet", pa.table({"clip_id": [1, 2]}))
    video.write_json("source.json", {"title": "ü"})
    assert video.read_table("clips.parquet")["clip_id"].to_pylist() == [1, 2]
    assert json.loads((tmp_path / "videos/a/source.json").read_text()) == {"title": "ü"}
    with pytest.raises(StageMissing):
        video.read_table("other.parquet")
    (tmp_path / "videos/a/clips.parquet").write_bytes(b"junk")
    with pytest.raises(CorruptStore):
        video.read_table("clips.parquet")


@given(st.text(max_size=80))
def test_only_plain_ids_become_paths(video_id: str):
    if all(c.isascii() and (c.isalnum() or c in "-_") for c in video_id) and 1 <= len(video_id) <= 64:
        assert check_video_id(video_id) == video_id
    else:
        with pytest.raises(SettingsError):
            check_video_id(video_id)
