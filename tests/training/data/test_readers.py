"""Every reader gives the sample that was written, and says in plain words what is wrong with a file."""

import pickle
import re
import struct
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import CorruptStore
from pipeline.store.store import Store
from tests.training.rooms import RoomFrames, stored_frames
from training.data import MonoSceneRooms, NyuRooms, Sample, StoredFrames, check_learnable, fraction
from training.data.down_sample import down_sample
from training.data.export import export_monoscene, with_nyu_camera
from training.data.nyu_format import CLASS_TO_SSCNET, INTRINSICS, SSCNET_TO_CLASS, metres_of, read_bin, stored_of
from training.data.pictures import write_picture
from training.data.safe_pickle import read_arrays
from training.errors import BrokenBenchmark, UnusableDataset

FIELD_TABLE = "0 1 2 3 4 11 5 6 7 8 8 10 10 10 11 11 9 8 11 11 11 11 11 11 11 11 11 10 10 11 8 10 11 9 11 11 11"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nyu")
    assert list(export_monoscene(RoomFrames(2), folder, "train")) == ["NYU0001_0000", "NYU0002_0000"]
    return folder


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
            chunk.write_bytes(chunk.read_bytes()[:40])
    with pytest.raises(CorruptStore, match="room: occupancy/labels row 0"):
        frames[0]


def test_grids_in_which_all_is_unknown_are_refused():
    class Blank(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            return replace(super().__getitem__(index), labels=np.full((60, 60, 36), 255, np.uint8))

    with pytest.raises(UnusableDataset, match="every voxel of every grid is unknown"):
        check_learnable(Blank(2))


def test_fractions_are_nested_and_repeat():
    class Many(RoomFrames):
        def __init__(self) -> None:
            super().__init__(0)
            self.names = tuple(f"room/{number}" for number in range(10))

        def __len__(self) -> int:
            return len(self.names)

    frames = Many()
    shares = [fraction(frames, share, seed=3).names for share in (0.01, 0.2, 0.5, 1)]
    assert [len(names) for names in shares] == [1, 2, 5, 10]
    assert all(set(small) < set(large) for small, large in pairwise(shares))
    assert fraction(frames, 0.5, seed=3).names == shares[2]
    assert any(fraction(frames, 0.5, seed=seed).names != shares[2] for seed in (4, 5, 6))
    with pytest.raises(UnusableDataset, match="nothing to learn from"):
        fraction(frames, 0, seed=0)


def test_the_class_table_is_the_fields():
    assert " ".join(map(str, SSCNET_TO_CLASS[:37])) == FIELD_TABLE
    assert np.array_equal(SSCNET_TO_CLASS[CLASS_TO_SSCNET[:12]], np.arange(12))


@given(arrays(np.uint16, (4, 5)))
def test_depth_is_rotated_millimetres(millimetres: np.ndarray):
    rotated = np.array([(int(v) << 3 | int(v) >> 13) & 0xFFFF for v in millimetres.ravel()], np.uint16)
    assert np.array_equal(stored_of(millimetres.astype(np.float32) / 1000).ravel(), rotated)
    assert np.allclose(metres_of(rotated.reshape(4, 5)), millimetres / 1000)


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, (2, 4, 2), elements=st.sampled_from([0, 255, 1, 4, 11])))
def test_coarser_grids_follow_the_benchmarks_rule(labels: np.ndarray):
    coarse = down_sample(labels, 2)
    assert coarse.shape == (1, 2, 1)
    for y in range(2):
        assert coarse[0, y, 0] == _by_the_rule(labels[:, 2 * y : 2 * y + 2].ravel().tolist())


def test_five_percent_of_a_block_decide_it():
    block = np.zeros((4, 4, 4), np.uint8)
    block.ravel()[:4] = SemanticClass.BED
    assert down_sample(block, 4)[0, 0, 0] == SemanticClass.BED, "60 of 64 void is less than 95 %"
    block.ravel()[0] = 0
    assert down_sample(block, 4)[0, 0, 0] == SemanticClass.EMPTY, "61 of 64 is more"


def _by_the_rule(values: list[int]) -> int:
    empty, unknown = values.count(0), values.count(255)
    if empty + unknown > 0.95 * len(values):
        return 0 if empty > unknown else 255
    counts = [values.count(label) for label in range(1, 12)]
    return 1 + counts.index(max(counts))


@pytest.mark.parametrize("suffix", [".bin", ".png", "_color.jpg"])
def test_a_benchmark_file_cut_short_is_named(exported: Path, tmp_path: Path, suffix: str):
    folder = _copied(exported / "depthbin", tmp_path)
    path = folder / "NYUtrain" / f"NYU0001_0000{suffix}"
    path.write_bytes(path.read_bytes()[: 500 if suffix == ".bin" else 40])
    with pytest.raises(BrokenBenchmark, match=re.escape(f"NYU0001_0000{suffix}")):
        NyuRooms(folder, "train")[0]


def test_a_grid_file_with_too_few_runs_or_a_strange_label_is_refused(exported: Path, tmp_path: Path):
    folder = _copied(exported / "depthbin", tmp_path)
    path = folder / "NYUtrain" / "NYU0001_0000.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    with pytest.raises(BrokenBenchmark, match="its runs fill"):
        NyuRooms(folder, "train")[0]
    for label in (37, 4000):
        path.write_bytes(whole[:76] + struct.pack("<I", label) + whole[80:])
        with pytest.raises(BrokenBenchmark, match=f"label {label}"):
            NyuRooms(folder, "train")[0]
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(BrokenBenchmark, match="too long"):
        NyuRooms(folder, "train")[0]


def test_a_grid_file_runs_along_world_y_first_then_up_then_x(tmp_path: Path):
    """SSCNet's index is z * 240 * 144 + y * 240 + x, its z being world x, its y up and its x world y."""
    x, y, z = 7, 101, 33
    index = x * 240 * 144 + z * 240 + y
    runs = [0, index, 6, 1, 255, 240 * 144 * 240 - index - 1]
    path = tmp_path / "room.bin"
    path.write_bytes(np.r_[1.5, -2, -0.05, np.eye(4).ravel()].astype("<f4").tobytes() + struct.pack("<6I", *runs))
    scene = read_bin(path)
    assert np.argwhere(scene.labels == SSCNET_TO_CLASS[6]).tolist() == [[x, y, z]]
    assert np.allclose(scene.origin, [1.5, -2, -0.05])
    assert (scene.labels == SemanticClass.EMPTY).sum() == index


@pytest.mark.parametrize("suffix", [".png", "_color.jpg"])
def test_nyus_pictures_must_have_the_size_its_camera_is_given_for(exported: Path, tmp_path: Path, suffix: str):
    folder = _copied(exported / "depthbin", tmp_path)
    path = folder / "NYUtrain" / f"NYU0001_0000{suffix}"
    picture = np.zeros((240, 320), np.uint16) if suffix == ".png" else np.zeros((240, 320, 3), np.uint8)
    write_picture(path, picture)
    with pytest.raises(BrokenBenchmark, match="is 320x240 instead of 640x480"):
        NyuRooms(folder, "train")[0]


def test_a_missing_folder_says_where_to_put_the_benchmark(tmp_path: Path):
    with pytest.raises(BrokenBenchmark, match="unpack the benchmark there"):
        NyuRooms(tmp_path, "test")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"target_1_4": np.zeros((60, 60, 36), np.uint8)}, "target_1_4 has shape"),
        ({"cam_pose": np.full((4, 4), np.nan)}, "camera_to_world has values that are not finite"),
        ({"voxel_origin": np.array([1, "x", None], object)}, "array of objects"),
        ({"cam_pose": None}, "cam_pose has shape"),
        ({"cam_pose": np.zeros((4, 4))}, "no rotation and translation"),
        ({"cam_pose": np.diag([1.0, 1, -1, 1])}, "no rotation and translation"),
        ({"target_1_4": np.full((60, 36, 60), 12, np.uint8)}, "no class"),
        ({"target_1_4": np.full((60, 36, 60), -1)}, "holds -1, which is no label"),
        ({"target_1_4": np.full((60, 36, 60), 1.5)}, r"holds 1\.5, which is no label"),
    ],
)
def test_a_pickle_with_wrong_content_is_refused(exported: Path, tmp_path: Path, change: dict, complaint: str):
    folder = _copied(exported, tmp_path)
    path = folder / "base" / "NYUtrain" / "NYU0001_0000.pkl"
    path.write_bytes(pickle.dumps({**read_arrays(path), **change}))
    with pytest.raises(BrokenBenchmark, match=complaint):
        MonoSceneRooms(folder, folder / "depthbin", "train")[0]


def _copied(folder: Path, into: Path) -> Path:
    import shutil

    return Path(shutil.copytree(folder, into / "copy"))
