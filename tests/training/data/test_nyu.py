"""NYUv2's rooms: files that are cut short, of the wrong size, or not there."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.copies import copied
from training.data import NyuRooms
from training.data.pictures import write_picture
from training.errors import BrokenBenchmark


@pytest.mark.parametrize("suffix", [".bin", ".png", "_color.jpg"])
def test_a_benchmark_file_cut_short_is_named(exported: Path, tmp_path: Path, suffix: str):
    folder = copied(exported / "depthbin", tmp_path)
    path = folder / "NYUtrain" / f"NYU0001_0000{suffix}"
    path.write_bytes(path.read_bytes()[: 500 if suffix == ".bin" else 40])
    with pytest.raises(BrokenBenchmark, match=re.escape(f"NYU0001_0000{suffix}")):
        NyuRooms(folder, "train")[0]


@pytest.mark.parametrize("suffix", [".png", "_color.jpg"])
def test_nyus_pictures_must_have_the_size_its_camera_is_given_for(exported: Path, tmp_path: Path, suffix: str):
    folder = copied(exported / "depthbin", tmp_path)
    path = folder / "NYUtrain" / f"NYU0001_0000{suffix}"
    picture = np.zeros((240, 320), np.uint16) if suffix == ".png" else np.zeros((240, 320, 3), np.uint8)
    write_picture(path, picture)
    with pytest.raises(BrokenBenchmark, match="is 320x240 instead of 640x480"):
        NyuRooms(folder, "train")[0]


def test_a_missing_folder_says_where_to_put_the_benchmark(tmp_path: Path):
    with pytest.raises(BrokenBenchmark, match="unpack the benchmark there"):
        NyuRooms(tmp_path, "test")
