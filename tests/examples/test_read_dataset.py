from pathlib import Path

from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.examples.scripts import run_script


def test_frames_points_and_batches_of_an_earlier_dataset(tmp_path: Path):
    unpack_earlier_dataset(tmp_path)
    counted, occupied, batch = run_script(tmp_path, "read_dataset.py", "data").splitlines()
    assert counted == f"{FRAMES} frames; the first is row 0 of {VIDEO}, train"
    assert occupied.startswith("100.0%"), "a voxel into which a labelled point falls is occupied, by definition"
    assert batch == "picture (2, 3, 480, 640), grid (2, 60, 60, 36)"
