"""Pointmaps of cameras in an analytic room, as a perfect pairwise network would give them, with noise on request."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.reconstruction.dust3r.alignment.records import PairPredictions

HEIGHT, WIDTH = 36, 48
ROOM = np.array([5.0, 2.6, 6.0])
"""Width, height and length in metres; the cameras stand inside, axes x right, y down, z forward."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """Cameras (N, 4, 4), focal lengths (N,) and depth (N, H, W) of the truth, and what pairs say of it."""

    camera_to_world: Array
    focal: Array
    depth: Array
    predictions: PairPredictions

    def points(self) -> Array:
        """Points (N, H, W, 3) in the world."""
        return unproject(self.depth, self.focal, self.camera_to_world)


def make_scene(
    edges: NDArray[np.int64], count: int, noise: float = 0.0, seed: int = 0, focal: Array | None = None
) -> Scene:
    """Build a scene of ``count`` cameras on an arc; ``noise`` in metres on every point, scale free per pair."""
    rng = np.random.default_rng(seed)
    cameras = np.stack([_camera(step / max(1, count - 1)) for step in range(count)])
    focals = np.full(count, 42.0) if focal is None else focal
    depth = np.stack([_depth(camera, length) for camera, length in zip(cameras, focals, strict=True)])
    points = unproject(depth, focals, cameras)
    scale = np.exp(rng.uniform(-0.7, 0.7, len(edges)))[:, None, None, None]
    to_first = np.linalg.inv(cameras[edges[:, 0]])
    one, two = (_transform(to_first, points[edges[:, side]]) for side in (0, 1))
    predictions = PairPredictions(
        count,
        edges,
        ((one + rng.normal(0, noise, one.shape)) * scale).astype(np.float32),
        ((two + rng.normal(0, noise, two.shape)) * scale).astype(np.float32),
        rng.uniform(2.5, 5, one.shape[:3]).astype(np.float32),
        rng.uniform(2.5, 5, two.shape[:3]).astype(np.float32),
    )
    return Scene(cameras, focals, depth, predictions)


def unproject(depth: Array, focal: Array, camera_to_world: Array) -> Array:
    """Points (N, H, W, 3) in the world of depth maps with the principal point in the middle."""
    height, width = depth.shape[1:]
    y, x = np.mgrid[:height, :width] + 0.5
    slope = np.stack([x - width / 2, y - height / 2], -1) / focal[:, None, None, None]
    rays = np.concatenate([slope, np.ones_like(slope[..., :1])], -1)
    return _transform(camera_to_world, rays * depth[..., None])


def _camera(along: float) -> Array:
    turn = np.radians(-20 + 40 * along)
    camera = np.eye(4)
    camera[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    camera[:3, 3] = [2.0 + 1.2 * along, 1.1 + 0.2 * np.sin(3 * along), 1.0 + 0.8 * along]
    return camera


def _depth(camera: Array, focal: float) -> Array:
    """Depth (H, W) at which rays leave the room."""
    ones = np.ones((1, HEIGHT, WIDTH))
    points = unproject(ones, np.array([focal]), camera[None])[0]
    rays = points - camera[:3, 3]
    with np.errstate(divide="ignore"):
        exits = np.where(rays > 0, (ROOM - camera[:3, 3]) / rays, -camera[:3, 3] / rays)
    return exits.min(-1)


def _transform(matrices: Array, points: Array) -> Array:
    moved: Array = np.einsum("nij,nhwj->nhwi", matrices[:, :3, :3], points) + matrices[:, None, None, :3, 3]
    return moved
