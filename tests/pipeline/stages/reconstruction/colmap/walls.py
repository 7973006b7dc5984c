"""Textured planes looked at by known cameras: scenes whose depth is a formula."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.stages.reconstruction.colmap.views import ClipViews

WIDTH, HEIGHT, FOCAL = 160, 120, 140.0
INTRINSICS = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])


def texture(seed: int, size: int = 1024) -> NDArray[np.float32]:
    """Noise of several octaves in [0, 1]: something to match at every scale, and nothing that repeats."""
    rng = np.random.default_rng(seed)
    octaves = [
        cv2.resize(rng.random((n, n), np.float32), (size, size), interpolation=cv2.INTER_CUBIC) for n in (32, 128, 400)
    ]
    return np.clip(sum(octaves) / 3, 0, 1).astype(np.float32)


def sideways(*metres: float) -> NDArray[np.float64]:
    """Poses (n, 4, 4) that differ by a step to the side."""
    poses = np.tile(np.eye(4), (len(metres), 1, 1))
    poses[:, 0, 3] = metres
    return poses


def wall_depth(pose: NDArray[np.float64], normal: tuple[float, float, float], distance: float) -> NDArray[np.float64]:
    """The z-depth (h, w) of the plane ``normal . p = distance`` seen from ``pose``."""
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(INTRINSICS).T @ pose[:3, :3].T
    return (distance - pose[:3, 3] @ normal) / (rays @ normal)


def wall_views(poses: NDArray[np.float64], normal: tuple[float, float, float], distance: float) -> ClipViews:
    """Every pose's picture of the plane, painted with ``texture`` where it is hit; all others are its sources."""
    pictures = [_paint(pose, wall_depth(pose, normal, distance)) for pose in poses]
    others = tuple(tuple(source for source in range(len(poses)) if source != view) for view in range(len(poses)))
    return ClipViews(
        grey=np.stack(pictures),
        intrinsics=np.stack([INTRINSICS] * len(poses)),
        camera_to_world=poses,
        sources=others,
        depth_range=np.tile((0.5 * distance, 3 * distance), (len(poses), 1)),
    )


def without_texture(views: ClipViews, rows: slice, columns: slice) -> ClipViews:
    """The same views with a patch of every picture painted over evenly."""
    grey = views.grey.copy()
    grey[:, rows, columns] = 0.5
    return replace(views, grey=grey)


def _paint(pose: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float32]:
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(INTRINSICS).T @ pose[:3, :3].T
    points = pose[:3, 3] + rays * depth[..., None]
    across, down = (points[..., 0] * 160 + 512).astype(np.float32), (points[..., 1] * 160 + 512).astype(np.float32)
    return cv2.remap(texture(0), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
