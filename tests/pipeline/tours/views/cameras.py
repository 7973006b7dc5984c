"""Cameras of small pictures."""

import numpy as np
import torch

from pipeline.tours.camera import pose
from pipeline.tours.tour import Tour
from pipeline.tours.views import Cameras

HEIGHT, WIDTH = 48, 64


def cameras_of(tour: Tour, poses: np.ndarray, height: int, width: int) -> Cameras:
    scale = np.array([[width / tour.width], [height / tour.height], [1]], np.float32)
    intrinsics = np.stack([tour.intrinsics * scale] * len(poses))
    return Cameras(torch.from_numpy(intrinsics), torch.from_numpy(poses), height, width)


def one_camera(height: int = 24, width: int = 32) -> Cameras:
    intrinsics = torch.tensor([[[20.0, 0, width / 2], [0, 20.0, height / 2], [0, 0, 1]]])
    return Cameras(intrinsics, torch.from_numpy(pose(np.zeros(3), 0.3, -0.2, 0.1))[None], height, width)
