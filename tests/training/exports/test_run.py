"""Every format is opened by the program that it is for, and says what the store says."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.contract.errors import DiskFull, SettingsError, StageMissing
from pipeline.store.frames import Frame, FrameReader
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.pipeline.videos import write_video
from training.data import OccScanNetFrames, StoredFrames
from training.data.safe_pickle import read_arrays
from training.errors import UnusableDataset
from training.exports.chosen import ExportPiece, by_world, chosen_rows, in_shards
from training.exports.encoded import cloud_of
from training.exports.occscannet import OccScanNet
from training.exports.run import EXPORT_MARK, PARTS, export_dataset

CLIP = f"{VIDEO}_001"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(unpack_earlier_dataset(tmp_path_factory.mktemp("earlier")))


@pytest.fixture(scope="module")
def frames(store: Store) -> list[Frame]:
    return list(ExportPiece("", chosen_rows(store, "all", ())).frames(FrameReader(store)))


def test_colmap_opens_in_pycolmap_with_the_same_reprojections(store: Store, frames: list[Frame], tmp_path: Path):
    import cv2  # noqa: F401 - before pycolmap, with whose libraries it would else fail
    import pycolmap

    assert export_dataset(store, tmp_path / "out", "colmap") == FRAMES
    model = pycolmap.Reconstruction(tmp_path / "out" / CLIP / "sparse" / "0")
    assert model.num_images() == FRAMES
    for number, frame in enumerate(frames, start=1):
        image, cloud = model.images[number], cloud_of(frame, 40)
        assert image.name == f"{frame.row:06d}.jpg"
        assert (tmp_path / "out" / CLIP / "images" / image.name).is_file()
        found = np.array([image.project_point(point) for point in cloud.world])
        assert np.abs(found - cloud.pixels).max() < 1e-3, "pixels"
    assert model.compute_mean_reprojection_error() < 1e-3
    model.update_point_3d_errors()
    assert max(point.error for point in model.points3D.values()) < 1e-3


def test_colmap_takes_pictures_of_the_films_own_size(frames: list[Frame], tmp_path: Path):
    import cv2
    import pycolmap

    store, size = Store(unpack_earlier_dataset(tmp_path)), (960, 720)
    numbers = store.video(VIDEO).read("frames", "frame_index").tolist()
    seen = [frames[np.searchsorted(numbers, index)].picture for index in range(numbers[-1] + 1)]
    write_video(Path(store.path("videos", VIDEO, SOURCE_VIDEO)), [cv2.resize(rgb, size) for rgb in seen])
    export_dataset(store, tmp_path / "out", "colmap")
    model = pycolmap.Reconstruction(tmp_path / "out" / CLIP / "sparse" / "0")
    for number, frame in enumerate(frames, start=1):
        image, cloud = model.images[number], cloud_of(frame, 40)
        picture = np.asarray(Image.open(tmp_path / "out" / CLIP / "images" / image.name))
        assert picture.shape == (720, 960, 3)
        assert cv2.absdiff(cv2.resize(picture, (640, 480), interpolation=cv2.INTER_AREA), frame.picture).mean() < 6
        found = np.array([image.project_point(point) for point in cloud.world])
        assert np.abs(found - cloud.pixels * 1.5).max() < 1e-3, "pixels of the larger picture"
    assert model.compute_mean_reprojection_error() < 1e-3


def test_clips_that_were_joined_are_one_world():
    rows = pa.table({"video_id": ["a"] * 5 + ["b"], "row": [0, 1, 2, 3, 4, 0], "world_id": [0, 0, 1, 0, 2, 0]})
    pieces = {piece.path: piece.rows["row"].to_pylist() for piece in by_world(rows)}
    assert pieces == {"a_000": [0, 1, 3], "a_001": [2], "a_002": [4], "b_000": [0]}


def test_nerfstudio_has_cameras_of_opengl_and_depth_in_millimetres(store: Store, frames: list[Frame], tmp_path: Path):
    export_dataset(store, tmp_path / "out", "nerfstudio")
    folder = tmp_path / "out" / CLIP
    content = json.loads((folder / "transforms.json").read_text(encoding="utf-8"))
    assert (content["w"], content["h"], len(content["frames"])) == (640, 480, FRAMES)
    assert (folder / content["ply_file_path"]).is_file()
    for entry, frame in zip(content["frames"], frames, strict=True):
        assert Image.open(folder / entry["file_path"]).size == (640, 480)
        depth = np.asarray(Image.open(folder / entry["depth_file_path"])) * content["depth_unit_scale_factor"]
        assert np.abs(depth - frame.depth).max() <= 0.0005 + 1e-6
        cloud = cloud_of(frame, 40)
        matrix = np.array(entry["transform_matrix"])
        x, y, z = (np.linalg.inv(matrix) @ np.c_[cloud.world, np.ones(len(cloud.world))].T)[:3]
        assert (z < 0).all(), "the camera looks along -z"
        seen = np.stack([entry["fl_x"] * x / -z + entry["cx"], entry["fl_y"] * -y / -z + entry["cy"]], axis=1)
        assert np.abs(seen - cloud.pixels).max() < 1e-3


def test_a_cloud_opens_in_open3d_coloured_and_labelled(store: Store, frames: list[Frame], tmp_path: Path):
    import open3d

    export_dataset(store, tmp_path / "out", "ply")
    points = open3d.t.io.read_point_cloud(str(tmp_path / "out" / f"{CLIP}.ply")).point
    found, colours, labels = (points[name].numpy() for name in ("positions", "colors", "label"))
    clouds = [cloud_of(frame) for frame in frames]
    world = np.concatenate([cloud.world for cloud in clouds])
    for point, colour, label in zip(found[:100], colours[:100], labels[:100], strict=True):
        at = int(np.abs(clouds[0].world - point).sum(axis=1).argmin())
        assert np.allclose(clouds[0].world[at], point, atol=1e-5)
        assert np.array_equal(clouds[0].rgb[at], colour)
        assert clouds[0].labels[at] == label
    assert found[:, 2].max() == pytest.approx(world[:, 2].max(), abs=0.011)
    assert 1000 < len(found) < len(world)


def test_parquet_shards_open_in_datasets(
    store: Store, frames: list[Frame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    export_dataset(store, tmp_path / "out", "hf")
    found = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["train"]
    assert found["train"].num_rows == FRAMES
    row, frame = found["train"][2], frames[2]
    assert (row["video_id"], row["row"], row["clip_id"]) == (VIDEO, frame.row, frame.clip_id)
    assert row["image"].size == (640, 480)
    assert np.abs(np.asarray(row["image"]).astype(int) - frame.picture).mean() < 3
    assert np.abs(np.asarray(row["depth"]) / 1000 - frame.depth).max() <= 0.0005 + 1e-6
    assert np.array_equal(np.asarray(row["labels"]), frame.labels)
    assert np.array_equal(np.reshape(row["occupancy"], (60, 60, 36)), frame.grid.labels)
    assert np.array_equal(np.reshape(row["camera_to_world"], (4, 4)).astype(np.float32), frame.camera.camera_to_world)


def test_tar_shards_open_in_webdataset(store: Store, frames: list[Frame], tmp_path: Path):
    import webdataset

    export_dataset(store, tmp_path / "out", "webdataset")
    shard = webdataset.WebDataset(str(tmp_path / "out" / "train-000000.tar"), shardshuffle=False).decode("rgb8")
    found = list(shard)
    assert [sample["__key__"] for sample in found] == [f"{VIDEO}-{frame.row:06d}" for frame in frames]
    for sample, frame in zip(found, frames, strict=True):
        assert np.array_equal(sample["depth.npy"], frame.depth.astype(np.float16))
        assert np.array_equal(sample["occupancy.npy"], frame.grid.labels)
        assert np.abs(sample["jpg"].astype(int) - frame.picture).mean() < 3
        assert np.allclose(sample["json"]["intrinsics"], frame.camera.intrinsics)


def test_a_frame_of_occscannet_is_what_its_documented_loader_reads(store: Store, frames: list[Frame], tmp_path: Path):
    out = tmp_path / "out"
    assert export_dataset(store, out, "occscannet") == FRAMES
    listed = (out / "train_subscenes.txt").read_text(encoding="utf-8").splitlines()
    assert listed == [f"gathered_data/scene0000_00/{frame.row:05d}.pkl" for frame in frames]
    assert (out / "scenes.txt").read_text(encoding="utf-8") == f"scene0000_00 {CLIP}\n"
    for path, frame in zip(listed, frames, strict=True):
        content = read_arrays(out / path)  # the keys and shapes that the authors' loader takes
        assert content["target_1_4"].shape == (60, 60, 36)
        assert content["target_1_16"].shape == (15, 15, 9)
        assert (content["cam_pose"].shape, content["intrinsic"].shape) == ((4, 4), (4, 4))
        assert Image.open(out / content["img"]).size == (640, 480)
        depth = np.asarray(Image.open(out / content["depth_gt"]))
        assert (depth.dtype, depth.shape) == (np.uint16, (480, 640))
        assert np.isin(content["target_1_4"], [*range(12), 255]).all()
        assert np.array_equal(content["target_1_4"][frame.grid.labels < 12], frame.grid.labels[frame.grid.labels < 12])


def test_our_own_reader_of_occscannet_finds_every_grid_where_its_depth_map_lies(store: Store, tmp_path: Path):
    export_dataset(store, tmp_path / "out", "occscannet")
    read = OccScanNetFrames(tmp_path / "out", "train", by="official")
    ours = StoredFrames(store, "train")
    assert len(read) == len(ours) == FRAMES
    for index in range(FRAMES):
        found, true = read[index], ours[index]
        assert np.array_equal(found.labels, np.where(true.labels == 12, 255, true.labels))
        assert np.allclose(found.camera_to_world, true.camera_to_world, atol=1e-6)
        assert np.allclose(found.intrinsics, true.intrinsics, atol=1e-4)
        assert np.allclose(found.origin, true.origin)
        assert np.abs(found.depth - true.depth).max() <= 0.0005 + 1e-6


def test_more_videos_than_occscannet_can_name_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.exports.occscannet.MOST_SPACES", 2)
    rows = pa.table({"video_id": list("abc"), "clip_id": [0, 0, 0], "split": ["train"] * 3, "row": [0, 0, 0]})
    assert [piece.path for piece in OccScanNet().pieces(rows.slice(0, 2))][2:] == [
        "posed_images/scene0001_00",
        "gathered_data/scene0001_00",
    ]
    with pytest.raises(SettingsError, match="c is one more"):
        OccScanNet().pieces(rows)


def test_conditions_choose_frames_and_what_cannot_be_understood_is_told(store: Store):
    rows = chosen_rows(store, "train", ["row>=2", "row<4"])
    assert rows["row"].to_pylist() == [2, 3]
    for wrong, told in (("row", "no condition"), ("rows>2", "no column 'rows'"), ("row>x", "no value of row")):
        with pytest.raises(SettingsError, match=told):
            chosen_rows(store, "all", [wrong])
    with pytest.raises(StageMissing, match="no frame of split 'validation'"):
        chosen_rows(store, "validation", ())


def test_shards_hold_whole_clips_of_one_split(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.exports.chosen.FRAMES_PER_SHARD", 5)
    clips = [("a", 0, "train"), ("a", 1, "train"), ("b", 0, "validation"), ("c", 0, "train")]
    columns = zip(*(clip for clip in clips for _ in range(3)), strict=True)
    rows = pa.table(dict(zip(("video_id", "clip_id", "split"), map(list, columns), strict=True)))
    pieces = in_shards(rows, "{split}-{number}-of-{count}")
    assert [(piece.path, piece.rows.num_rows) for piece in pieces] == [
        ("train-0-of-3", 3),
        ("train-1-of-3", 3),
        ("train-2-of-3", 3),
        ("validation-0-of-1", 3),
    ]


def test_an_id_that_would_be_a_path_is_refused_before_anything_is_written(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    index = data / "dataset" / "index.parquet"
    table = pq.read_table(index)
    hostile = pa.array(["../../outside"] * table.num_rows)
    pq.write_table(table.set_column(table.schema.get_field_index("video_id"), "video_id", hostile), index)
    with pytest.raises(SettingsError, match="video id"):
        export_dataset(Store(data), tmp_path / "out", "ply")
    assert not (tmp_path / "out").exists()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to write longer files, with an error that means a full disk, too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("name", "piece"), [("colmap", CLIP), ("hf", "data"), ("webdataset", "train-000000.tar")])
def test_a_full_disk_leaves_nothing_half_and_the_same_call_goes_on(store: Store, tmp_path: Path, name: str, piece: str):
    out, told = tmp_path / "out", list[tuple[float, float]]()
    with files_of_at_most(20_000), pytest.raises(DiskFull, match="goes on where it was"):
        export_dataset(store, out, name)
    assert not (out / piece).exists()
    assert not (out / PARTS).exists()
    (out / PARTS / "part").mkdir(parents=True)  # as a kill leaves it
    export_dataset(store, out, name, progress=lambda *said: told.append(said[1:3]))
    assert told == [(0, FRAMES), (FRAMES, FRAMES)]
    before = (out / piece).stat().st_mtime_ns
    export_dataset(store, out, name)
    assert (out / piece).stat().st_mtime_ns == before, "what is there is not written again"


def test_a_folder_of_something_else_is_left_alone(store: Store, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(UnusableDataset, match="no export has written"):
        export_dataset(store, tmp_path / "mine", "ply")
    export_dataset(store, tmp_path / "out", "ply", "train")
    assert (tmp_path / "out" / EXPORT_MARK).is_file()
    with pytest.raises(UnusableDataset, match="another export"):
        export_dataset(store, tmp_path / "out", "ply", "all")
