"""Exports for the loaders of others: what they read is what was written."""

import pickletools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from tests.foreign import foreign_folder, lost
from tests.training.rooms import RoomFrames
from training.data import MonoSceneRooms, NyuRooms
from training.data.export import MARK, export_monoscene, with_nyu_camera, write_room
from training.data.nyu_format import INTRINSICS
from training.data.safe_pickle import read_arrays
from training.data.subset import FrameSubset
from training.errors import UnusableDataset


def test_both_layouts_of_an_export_give_back_the_frame_seen_by_the_benchmarks_camera(exported: Path):
    rooms = (NyuRooms(exported / "depthbin", "train"), MonoSceneRooms(exported, exported / "depthbin", "train"))
    for index in range(2):
        true = with_nyu_camera(RoomFrames(2)[index])
        for found in (frames[index] for frames in rooms):
            assert np.array_equal(found.labels, true.labels)
            assert np.array_equal(found.origin, true.origin)
            assert np.allclose(found.camera_to_world, true.camera_to_world)
            assert np.abs(found.depth - true.depth).max() <= 0.0005 + 1e-6, "stored in millimetres"
            assert np.abs(found.rgb.astype(int) - true.rgb).mean() < 12, "JPEG of a picture with noise"


def test_seen_by_another_camera_the_points_stay_where_they_were():
    sample = RoomFrames(1)[0]
    seen = with_nyu_camera(sample)
    assert np.array_equal(seen.intrinsics, INTRINSICS)
    for frame in (sample, seen):
        row, column = np.argwhere(frame.depth > 0).T
        pixel = np.stack([column + 0.5, row + 0.5, np.ones_like(row)]) * frame.depth[row, column]
        points = frame.camera_to_world[:3, :3] @ np.linalg.inv(frame.intrinsics) @ pixel
        heights = points[2] + frame.camera_to_world[2, 3]
        floor = heights[frame.regions[row, column] == SemanticClass.FLOOR]
        assert np.abs(floor).max() < 0.02, "the floor is at 0; the nearest pixel is half a pixel off at most"


def test_monoscenes_pickle_has_the_fields_and_axes_that_its_loader_reads(exported: Path):
    content = read_arrays(exported / "base" / "NYUtrain" / "NYU0001_0000.pkl")
    assert set(content) == {"cam_pose", "voxel_origin", "name", "target_1_4", "target_1_16"}
    assert content["target_1_4"].shape == (60, 36, 60)
    assert content["target_1_4"].dtype == np.uint8
    assert content["target_1_16"].shape == (15, 9, 15)
    assert np.array_equal(content["target_1_4"].transpose(0, 2, 1), RoomFrames(1)[0].labels)


def test_voxels_without_a_name_are_unknown_to_others(tmp_path: Path):
    sample = RoomFrames(1)[0]
    labels = np.where(sample.labels == SemanticClass.WALL, np.uint8(SemanticClass.UNNAMED), sample.labels)
    write_room(with_nyu_camera(replace(sample, labels=labels)), tmp_path, "train", "NYU0001_0000")
    rooms = NyuRooms(tmp_path / "depthbin", "train"), MonoSceneRooms(tmp_path, tmp_path / "depthbin", "train")
    for read in (rooms[0][0].labels, rooms[1][0].labels):
        assert (read[labels == SemanticClass.UNNAMED] == SemanticClass.UNKNOWN).all()
        assert np.array_equal(read == SemanticClass.FLOOR, labels == SemanticClass.FLOOR)


def test_pickles_open_with_the_numpy_of_other_projects_too(exported: Path):
    stored = (exported / "base" / "NYUtrain" / "NYU0001_0000.pkl").read_bytes()
    asked = {argument for code, argument, _ in pickletools.genops(stored) if code.name in ("GLOBAL", "STACK_GLOBAL")}
    assert asked == {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}


def test_an_export_goes_on_where_it_was_and_begins_anew_with_other_frames(tmp_path: Path):
    frames, written = RoomFrames(3), iter(export_monoscene(RoomFrames(3), tmp_path, "train"))
    next(written)
    written.close()  # as a kill leaves it
    first = tmp_path / "base" / "NYUtrain" / "NYU0001_0000.pkl"
    before = first.stat().st_mtime_ns
    assert len(list(export_monoscene(frames, tmp_path, "train"))) == 3
    assert first.stat().st_mtime_ns == before
    assert len(MonoSceneRooms(tmp_path, tmp_path / "depthbin", "train")) == 3
    list(export_monoscene(FrameSubset(frames, [2], "the last"), tmp_path, "train"))
    rooms = MonoSceneRooms(tmp_path, tmp_path / "depthbin", "train")
    assert len(rooms) == 1
    assert np.array_equal(rooms[0].labels, frames[2].labels)


def test_rooms_that_no_export_has_written_stay_and_an_export_is_made_again(tmp_path: Path, exported: Path):
    before = foreign_folder(tmp_path / "nyu", "depthbin/NYUtest/NYU0001_0000.png", "NYUtest.txt")
    with pytest.raises(UnusableDataset, match="no export has written"):
        list(export_monoscene(RoomFrames(1), tmp_path / "nyu", "test"))
    assert lost(before, tmp_path / "nyu") == []
    (exported / MARK).unlink()
    assert len(list(export_monoscene(RoomFrames(1), exported, "train"))) == 1, "as an earlier release left it"
