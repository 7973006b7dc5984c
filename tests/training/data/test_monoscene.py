"""MonoScene's pickles: whatever they hold, a sample or one typed error."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.copies import copied
from training.data import MonoSceneRooms
from training.data.safe_pickle import read_arrays
from training.errors import BrokenBenchmark


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"target_1_4": np.zeros((60, 60, 36), np.uint8)}, "target_1_4 has shape"),
        ({"cam_pose": np.full((4, 4), np.nan)}, "camera_to_world has values that are not finite"),
        ({"voxel_origin": np.array([1, "x", None], object)}, "array of objects"),
        ({"cam_pose": None}, "cam_pose has shape"),
        ({"cam_pose": np.zeros((4, 4))}, "no rotation and translation"),
        ({"cam_pose": np.diag([1.0, 1, -1, 1])}, "no rotation and translation"),
        ({"target_1_4": np.full((60, 36, 60), 12, np.uint8)}, "no label"),
        ({"target_1_4": np.full((60, 36, 60), 13, np.uint8)}, "no class"),
        ({"target_1_4": np.full((60, 36, 60), -1)}, "holds -1, which is no label"),
        ({"target_1_4": np.full((60, 36, 60), 1.5)}, r"holds 1\.5, which is no label"),
    ],
)
def test_a_pickle_with_wrong_content_is_refused(exported: Path, tmp_path: Path, change: dict, complaint: str):
    folder = copied(exported, tmp_path)
    path = folder / "base" / "NYUtrain" / "NYU0001_0000.pkl"
    path.write_bytes(pickle.dumps({**read_arrays(path), **change}))
    with pytest.raises(BrokenBenchmark, match=complaint):
        MonoSceneRooms(folder, folder / "depthbin", "train")[0]
