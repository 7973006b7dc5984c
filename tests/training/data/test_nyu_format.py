"""NYUv2's grid files and depth maps: its labels, its order of voxels, its rotated millimetres."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from pipeline.contract.classes import SemanticClass
from tests.training.data.copies import copied
from training.data import NyuRooms
from training.data.nyu_format import CLASS_TO_SSCNET, SSCNET_TO_CLASS, metres_of, read_bin, stored_of
from training.errors import BrokenBenchmark

FIELD_TABLE = "0 1 2 3 4 11 5 6 7 8 8 10 10 10 11 11 9 8 11 11 11 11 11 11 11 11 11 10 10 11 8 10 11 9 11 11 11"


def test_the_class_table_is_the_fields():
    assert " ".join(map(str, SSCNET_TO_CLASS[:37])) == FIELD_TABLE
    assert np.array_equal(SSCNET_TO_CLASS[CLASS_TO_SSCNET[:12]], np.arange(12))


@given(arrays(np.uint16, (4, 5)))
def test_depth_is_rotated_millimetres(millimetres: np.ndarray):
    rotated = np.array([(int(v) << 3 | int(v) >> 13) & 0xFFFF for v in millimetres.ravel()], np.uint16)
    assert np.array_equal(stored_of(millimetres.astype(np.float32) / 1000).ravel(), rotated)
    assert np.allclose(metres_of(rotated.reshape(4, 5)), millimetres / 1000)


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


def test_a_grid_file_with_too_few_runs_or_a_strange_label_is_refused(exported: Path, tmp_path: Path):
    folder = copied(exported / "depthbin", tmp_path)
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
