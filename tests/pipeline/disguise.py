"""Exact scenes made to look like what dense matching returns: another frame and scale, noise, holes, stray points."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.records import MetricScene, Reconstruction


def disguise(
    scene: MetricScene, seed: int, noise: float = 0.0, holes: float = 0.0, stray: float = 0.0
) -> tuple[Reconstruction, NDArray[np.float64]]:
    """Return the scene in a random frame and scale, and the (4, 4) similarity that took it there.

    noise: standard deviation of depth, as a share of it, half in single pixels and half over 16 pixels. holes: share of
    depth missing in patches of 24 pixels. stray: share of pixels with a depth of 0.3 to 2 times the true one.
    """
    draw = np.random.default_rng(seed)
    scale = float(np.exp(draw.uniform(-1, 1)))
    similarity = np.eye(4)
    similarity[:3, :3] = scale * Rotation.random(rng=draw).as_matrix()
    similarity[:3, 3] = draw.uniform(-3, 3, 3)
    poses = similarity @ scene.camera_to_world.astype(np.float64)
    poses[:, :3, :3] /= scale
    depth = np.stack([blemished(view * scale, draw, noise, holes, stray) for view in scene.depth])
    seen = (depth > 0).astype(np.float32)
    return Reconstruction(scene.intrinsics, poses.astype(np.float32), depth, seen, scene.registered), similarity


def blemished(
    depth: NDArray[np.float32], draw: np.random.Generator, noise: float, holes: float, stray: float
) -> NDArray[np.float32]:
    coarse = enlarged(draw.normal(size=grid_of(depth, 16)), depth, cv2.INTER_CUBIC)
    out = depth * (1 + noise * np.sqrt(0.5) * (coarse + draw.normal(size=depth.shape)))
    out[draw.random(depth.shape) < stray] *= draw.uniform(0.3, 2)
    out[enlarged(draw.random(grid_of(depth, 24)), depth, cv2.INTER_NEAREST) < holes] = 0
    return out.astype(np.float32)


def grid_of(depth: NDArray[np.float32], pixels: int) -> tuple[int, int]:
    return depth.shape[0] // pixels, depth.shape[1] // pixels


def enlarged(values: NDArray[np.float64], depth: NDArray[np.float32], interpolation: int) -> NDArray[np.float64]:
    return cv2.resize(values, depth.shape[::-1], interpolation=interpolation)
