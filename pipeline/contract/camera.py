"""From depth maps to points: the pinhole model every stage shares."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH


def depth_intrinsics(intrinsics: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Scale intrinsics (..., 3, 3) of the 640x480 picture to a depth map of ``shape`` (h, w)."""
    height, width = shape
    scale = np.array([width / FRAME_WIDTH, height / FRAME_HEIGHT, 1.0])
    scaled: NDArray[np.float64] = np.asarray(intrinsics, np.float64) * scale[:, None]
    return scaled


def pixel_rays(intrinsics: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the camera-frame rays (h, w, 3) through the pixel centres of a depth map of ``shape``, with z = 1.

    intrinsics: (3, 3), pixels of the 640x480 picture.
    """
    height, width = shape
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    homogeneous = np.stack([u, v, np.ones_like(u)], axis=-1)
    rays: NDArray[np.float64] = homogeneous @ np.linalg.inv(depth_intrinsics(intrinsics, shape)).T
    return rays


def pointmap(
    depth: NDArray[np.floating], intrinsics: NDArray[np.floating], camera_to_world: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Lift a depth map (h, w) to world points (h, w, 3); pixels without depth land on the camera centre.

    intrinsics: (3, 3), pixels of the 640x480 picture. camera_to_world: (4, 4). Unit: that of depth and camera.
    """
    pose = np.asarray(camera_to_world, np.float64)
    shape = (depth.shape[0], depth.shape[1])
    points = pixel_rays(intrinsics, shape) * np.asarray(depth, np.float64)[..., None]
    return points @ pose[:3, :3].T + pose[:3, 3]
