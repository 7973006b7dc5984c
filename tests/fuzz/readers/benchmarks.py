"""Files of benchmarks and studies: pickles, grids, pictures, lists, masks, scores."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np

from pipeline.language.index import RegionIndex
from pipeline.language.index_part import RegionKind, read_parts
from pipeline.language.part_writer import PartWriter
from pipeline.language.retrieval.benchmark import Benchmark, RetrievalQuery, read_benchmark, write_benchmark
from tests.fuzz.reader import Reader
from training.data.nyu_format import FINE_SHAPE, NyuScene, read_bin, write_bin
from training.data.occscannet import _intrinsics, _listed
from training.data.pictures import read_depth_png, read_picture, write_picture
from training.data.safe_pickle import array_of, labels_of, read_arrays
from training.studies.label_efficiency import _known as known_score

GRID = (60, 60, 36)


def _make_pickles(folder: Path) -> None:
    content = {
        "intrinsic": np.eye(4),
        "cam_pose": np.eye(4),
        "voxel_origin": np.zeros(3),
        "target_1_4": np.zeros((3, 4, 2), np.uint8),
        "img": "a.jpg",
    }
    (folder / "frame.pkl").write_bytes(pickle.dumps(content))
    (folder / "earlier.pkl").write_bytes(pickle.dumps(content, protocol=2))
    (folder / "first.pkl").write_bytes(pickle.dumps({**content, "target_1_4": np.zeros((3, 4, 2))}, protocol=0))


def _read_pickle(folder: Path, name: str) -> object:
    path = folder / name
    content = read_arrays(path)
    camera = _intrinsics(content, (480, 640), path), array_of(content, "cam_pose", (4, 4), path)
    return camera, labels_of(content, "target_1_4", (3, 4, 2), path)


def _make_grids(folder: Path) -> None:
    labels = np.zeros((FINE_SHAPE[0], FINE_SHAPE[2], FINE_SHAPE[1]), np.uint8)
    labels[:, :, :2] = 2
    write_bin(folder / "room.bin", NyuScene(np.zeros(3, np.float32), np.eye(4, dtype=np.float32), labels))


def _make_pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    small = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (64, 48))
    write_picture(folder / "depth.png", small[..., 0].astype(np.uint16) * 30)
    write_picture(folder / "colour.jpg", small)
    write_picture(folder / "colour.png", small)


def _read_picture(folder: Path, name: str) -> object:
    read = read_depth_png if name.startswith("depth") else read_picture
    return read(folder / name, any_size=True)


def _make_frames(folder: Path) -> None:
    (folder / "train.txt").write_text("gathered_data/scene0000_00/00004.pkl\ngathered_data/scene0001_00/00008.pkl\n")


def _make_retrieval(folder: Path) -> None:
    query = RetrievalQuery(text="a sofa", video_id="v", frame_index=3, split="test", kind="class", label="sofa")
    mask = np.zeros((1, *GRID), bool)
    mask[:, 3, 4, 5] = True
    write_benchmark(folder, Benchmark((query,), np.eye(4)[None], mask, mask, mask))


def _make_regions(folder: Path) -> None:
    with PartWriter(folder, 0, RegionKind(8, (("san.pth", "0" * 64),))) as writer:
        for video_id in ("v", "w"):
            row = {"video_id": video_id, "mark": 1, "regions_mark": 2, "regions": 4}
            writer.append(row, np.eye(4, 8, dtype=np.float16))
        writer.place()


def _read_regions(folder: Path, _name: str) -> object:
    return RegionIndex(read_parts(folder)).search(np.eye(8, dtype=np.float32)[0], 3)


def _make_scores(folder: Path) -> None:
    (folder / "result.json").write_text(json.dumps({"of": "key", "figures": {"miou all": 0.5}}))


READERS = (
    Reader("pickles", _make_pickles, _read_pickle, 8),
    Reader("grids", _make_grids, lambda folder, name: read_bin(folder / name), 2),
    Reader("pictures", _make_pictures, _read_picture, 4),
    Reader("frame_lists", _make_frames, lambda folder, name: _listed(folder / name), 10),
    Reader("retrieval", _make_retrieval, lambda folder, _name: read_benchmark(folder), 1.5),
    Reader("region_index", _make_regions, _read_regions, 5),
    Reader("study_scores", _make_scores, lambda folder, _name: known_score(folder, "key"), 8),
)
