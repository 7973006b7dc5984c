"""A room seen by exact cameras, and what a network would say of it: windows, each in a world and a unit of its own."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.da3.windows import WindowCameras, windows_of

FOCAL, HEIGHT, WIDTH = 500.0, 480, 640
HALF_ROOM = np.array([3.0, 1.4, 4.0])


@dataclass(frozen=True)
class Room:
    """camera_to_world: (n, 4, 4). depth: (n, 16, 21), exact z-depth. rays: (16, 21, 3), of unit depth."""

    camera_to_world: Float64s
    depth: Float64s
    rays: Float64s

    def said(self, frames: range, rng: np.random.Generator, noise: float = 0.0, wild: float = 0.0) -> WindowCameras:
        """Tell of frames in a random world and unit; noise: of depth, relative; wild: share of wrong pixels."""
        to_own = similarity(rng)
        scale = np.cbrt(np.linalg.det(to_own[:3, :3]))
        cameras = to_own @ self.camera_to_world[frames.start : frames.stop]
        cameras[:, :3, :3] /= scale
        depth = self.depth[frames.start : frames.stop] * scale
        depth = depth * np.exp(noise * rng.standard_normal(depth.shape))
        wrong = rng.random(depth.shape) < wild
        depth[wrong] *= rng.uniform(0.2, 5, wrong.sum())
        return WindowCameras(frames, cameras, depth.astype(np.float32), np.full(depth.shape, 0.5, np.float32))

    def windows(self, rng: np.random.Generator, noise: float = 0.0, wild: float = 0.0) -> list[WindowCameras]:
        """Tell of windows of 16 frames."""
        return [self.said(frames, rng, noise, wild) for frames in windows_of(len(self.depth), 16, 0.5)]


def similarity(rng: np.random.Generator) -> Float64s:
    """Return a similarity with a scale from 1/4 to 4."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=rng).as_matrix() * np.exp(rng.uniform(-1.4, 1.4))
    matrix[:3, 3] = rng.uniform(-10, 10, 3)
    return matrix


def walked_room(frames: int) -> Room:
    """Walk through a box of 6 x 2.8 x 8 metres, looking around."""
    x, y = np.meshgrid((np.arange(21) + 0.5) / 21 - 0.5, (np.arange(16) + 0.5) / 16 - 0.5)
    rays = np.stack([x * WIDTH / FOCAL, y * HEIGHT / FOCAL, np.ones_like(x)], axis=-1)
    cameras = np.tile(np.eye(4), (frames, 1, 1))
    along = np.linspace(0, 1, frames)
    cameras[:, :3, :3] = Rotation.from_euler(
        "yx", np.stack([200 * along, 20 * np.sin(9 * along)], 1), degrees=True
    ).as_matrix()
    cameras[:, :3, 3] = np.stack([2 * np.sin(5 * along), 0.2 * np.cos(7 * along), 5 * along - 2.5], axis=1)
    directions = np.einsum("nij,abj->nabi", cameras[:, :3, :3], rays)
    # where a ray leaves the box: the nearest of the three walls that it goes towards
    gap = np.sign(directions) * HALF_ROOM - cameras[:, None, None, :3, 3]
    depth = np.divide(gap, directions, out=np.full_like(gap, np.inf), where=directions != 0).min(axis=-1)
    return Room(cameras, depth, rays)
