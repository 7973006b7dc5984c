import numpy as np
import torch

from pipeline.tours.views.records import Cameras


def cameras(n: int) -> Cameras:
    intrinsics = torch.eye(3).repeat(n, 1, 1) * torch.arange(1.0, n + 1)[:, None, None]
    return Cameras(intrinsics, torch.from_numpy(np.tile(np.eye(4), (n, 1, 1))), 24, 32)


def test_rows_are_cameras_of_the_same_pictures():
    some = cameras(5).rows(slice(1, 3))
    assert len(some) == 2
    assert some.intrinsics[:, 0, 0].tolist() == [2, 3]
    assert (some.height, some.width) == (24, 32)
    assert len(cameras(5).rows(slice(5, 9))) == 0


def test_cameras_move_to_a_device_with_all_they_have():
    moved = cameras(2).to(torch.device("meta"))
    assert moved.intrinsics.device == moved.camera_to_world.device == torch.device("meta")
    assert moved.camera_to_world.dtype == torch.float64
    assert (len(moved), moved.height, moved.width) == (2, 24, 32)
