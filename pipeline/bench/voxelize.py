"""How long one frame's grid takes, and those of all frames, beside plain NumPy versions and Open3D's voxel grid.

A clip of 20 depth maps of 512x384 pixels: 3.9 million points and their rays. Seconds are of the processor, all threads
added up, best of several runs after one to warm up; every contender runs in a process of its own, so that the memory
it adds at its peak can be told. Run it with ``python -m pipeline.bench.voxelize``.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bench.memory import peak_bytes
from pipeline.contract.camera import pixel_rays, pointmap
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_index
from pipeline.contract.records import FrameGrid, MetricScene, Occupancy, Semantics
from pipeline.contract.scale import ScaleSource
from pipeline.geometry.voxels import voxelize, voxelize_frame

FRAMES = 20
SHAPE = (384, 512)
ROOM_LOW, ROOM_HIGH = np.array([-1.53, -1.07, 0.0]), np.array([2.13, 3.31, 2.6])
GRID_ORIGIN = np.array([-1.6, -1.12, -0.05])
INTRINSICS = np.array([[560, 0, 320], [0, 560, 240], [0, 0, 1]], np.float32)
REPEATS = 5


@dataclass(frozen=True)
class GridTiming:
    """One way to fill a grid: best processor seconds, ratio to ours, MiB added at the peak, and what it delivers."""

    name: str
    seconds: float
    ratio: float
    peak_mib: float
    delivers: str


def benchmark() -> list[GridTiming]:
    """Measure every contender, ours first."""
    measured = {}
    for name in CONTENDERS:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            measured[name] = process.submit(measure, name).result()
    ours = measured["pipeline.voxelize"][0]
    return [GridTiming(name, s, s / ours, mib, CONTENDERS[name][1]) for name, (s, mib) in measured.items()]


def measure(name: str) -> tuple[float, float]:
    """Run one contender in this process: best processor seconds, and MiB that its runs added to the peak."""
    fill, clip = CONTENDERS[name][0], room_clip()
    fill(*room_clip(frames=1))
    before, seconds = peak_bytes(), []
    for _ in range(REPEATS):
        start = time.process_time()
        fill(*clip)
        seconds.append(time.process_time() - start)
    return min(seconds), (peak_bytes() - before) / 2**20


def room_clip(frames: int = FRAMES) -> tuple[MetricScene, Semantics]:
    """Return a clip in which a camera pans through a box-shaped room, labels in blocks of pixels."""
    cameras = np.stack([panning_camera(frame) for frame in range(frames)]).astype(np.float32)
    depth = np.stack([room_depth(camera) for camera in cameras])
    rows, columns = np.indices(SHAPE) // 32
    labels = np.broadcast_to(1 + (rows + columns) % len(OCCUPIED_CLASSES), depth.shape).astype(np.uint8)
    scene = MetricScene(
        intrinsics=np.repeat(INTRINSICS[None], frames, axis=0),
        camera_to_world=cameras,
        depth=depth,
        confidence=np.ones_like(depth),
        registered=np.ones(frames, np.bool_),
        ceiling_height=float(ROOM_HIGH[2]),
        up_confidence=1.0,
        scale_source=ScaleSource.FLOOR_TO_CEILING,
        world_from_reconstruction=np.eye(4),
    )
    return scene, Semantics(labels, np.zeros(labels.shape, np.uint16))


def panning_camera(frame: int) -> NDArray[np.float64]:
    """Return the camera_to_world (4, 4) of a level camera that steps aside and turns a little with every frame."""
    yaw = 0.02 * frame
    pose = np.eye(4)
    pose[:3, 0] = [np.cos(yaw), -np.sin(yaw), 0]
    pose[:3, 1] = [0, 0, -1]
    pose[:3, 2] = [np.sin(yaw), np.cos(yaw), 0]
    pose[:3, 3] = [0.05 * frame - 0.5, -0.5, 1.5]
    return pose


def room_depth(camera_to_world: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the z-depth (384, 512) of the inside of the room."""
    rays = pixel_rays(INTRINSICS, SHAPE) @ camera_to_world[:3, :3].T.astype(np.float64)
    rays = np.where(np.abs(rays) < 1e-9, 1e-9, rays)
    leave = np.where(rays > 0, ROOM_HIGH - camera_to_world[:3, 3], ROOM_LOW - camera_to_world[:3, 3]) / rays
    return np.asarray(leave.min(axis=-1), np.float32)


def with_ours(scene: MetricScene, semantics: Semantics) -> FrameGrid:
    """Fill one frame's grid as the stage does, the placing of the grid included."""
    return voxelize_frame(scene, semantics, len(scene.depth) // 2)


def with_blocks(scene: MetricScene, semantics: Semantics) -> Occupancy:
    """Fill the grids of all frames as the stage does, out of the blocks that they share."""
    return voxelize(scene, semantics)


def with_add_at(scene: MetricScene, semantics: Semantics) -> NDArray[np.uint8]:
    """Fill occupied voxels by ``np.add.at``."""
    counts = np.zeros((*GRID_SHAPE, len(OCCUPIED_CLASSES) + 1), np.uint32)
    for points, labels in zip(clip_points(scene), semantics.labels, strict=True):
        index = voxel_index(points, GRID_ORIGIN)
        inside = ((index >= 0) & (index < GRID_SHAPE)).all(axis=1)
        np.add.at(counts, (*index[inside].T, labels.ravel()[inside]), 1)
    return np.where(counts.any(axis=-1), counts.argmax(axis=-1), SemanticClass.UNKNOWN).astype(np.uint8)


def with_unique(scene: MetricScene, semantics: Semantics) -> NDArray[np.uint8]:
    """Fill occupied voxels by one ``np.unique`` over voxel and label."""
    index = voxel_index(np.concatenate(clip_points(scene)), GRID_ORIGIN)
    inside = ((index >= 0) & (index < GRID_SHAPE)).all(axis=1)
    voxel = np.ravel_multi_index(tuple(index[inside].T), GRID_SHAPE)
    votes, counts = np.unique(voxel * 256 + semantics.labels.ravel()[inside], return_counts=True)
    order = np.lexsort((-votes, counts))
    labels = np.full(GRID_SHAPE, SemanticClass.UNKNOWN, np.uint8)
    labels.ravel()[votes[order] // 256] = votes[order] % 256
    return labels


def with_open3d(scene: MetricScene, semantics: Semantics) -> list[object]:
    """Fill Open3D's VoxelGrid, which averages colours: labels have no majority there."""
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.concatenate(clip_points(scene))))
    cloud.colors = open3d.utility.Vector3dVector(np.repeat(semantics.labels.reshape(-1, 1) / 255.0, 3, axis=1))
    return list(open3d.geometry.VoxelGrid.create_from_point_cloud(cloud, VOXEL_SIZE).get_voxels())


def clip_points(scene: MetricScene) -> list[NDArray[np.float64]]:
    """Return the points (h * w, 3) of every frame."""
    views = zip(scene.depth, scene.intrinsics, scene.camera_to_world, strict=True)
    return [pointmap(depth, intrinsics, pose).reshape(-1, 3) for depth, intrinsics, pose in views]


def table(timings: list[GridTiming]) -> str:
    """Return the timings as lines of text."""
    lines = [f"{'':20}{'one grid':>10}{'ratio':>8}{'memory':>12}  delivers"]
    lines += [
        f"{t.name:20}{t.seconds * 1000:7.0f} ms{t.ratio:7.1f}x{t.peak_mib:8.0f} MiB  {t.delivers}" for t in timings
    ]
    return "\n".join(lines)


CONTENDERS: dict[str, tuple[Callable[[MetricScene, Semantics], object], str]] = {
    "pipeline.voxelize": (with_ours, "majority, seen-empty, unknown"),
    "all 20 grids": (with_blocks, "the same for every frame"),
    "numpy add.at": (with_add_at, "majority"),
    "numpy unique": (with_unique, "majority"),
    "open3d VoxelGrid": (with_open3d, "occupied, mean label"),
}


if __name__ == "__main__":
    sys.stdout.write(table(benchmark()) + "\n")
