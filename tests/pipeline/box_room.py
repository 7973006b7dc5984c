"""An analytic room: axis-aligned boxes ray-cast exactly, so that every expected number can be worked out by hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pixel_rays
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import MetricScene, Semantics
from pipeline.contract.scale import ScaleSource

INTRINSICS = np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1]], np.float32)


@dataclass(frozen=True)
class Box:
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    label: int = SemanticClass.FURNITURE


@dataclass(frozen=True)
class Room:
    """The inside of ``walls`` with solid ``boxes`` in it, floor and ceiling at the low and high z of ``walls``."""

    walls: Box
    boxes: tuple[Box, ...] = ()

    def view(
        self, camera_to_world: NDArray[np.floating], shape: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Z-depth in metres and labels of a picture of ``shape`` (h, w)."""
        rays = pixel_rays(INTRINSICS, shape) @ camera_to_world[:3, :3].astype(float).T
        rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
        centre = camera_to_world[:3, 3].astype(float)
        _, leave = slabs(self.walls, centre, rays)
        depth, axis = leave.min(axis=-1), leave.argmin(axis=-1)
        horizontal = np.where(rays[..., 2] > 0, SemanticClass.CEILING, SemanticClass.FLOOR)
        labels = np.where(axis == 2, horizontal, SemanticClass.WALL)
        for box in self.boxes:
            enter, leave = slabs(box, centre, rays)
            near, far = enter.max(axis=-1), leave.min(axis=-1)
            hit = (near > 0) & (near < far) & (near < depth)
            depth, labels = np.where(hit, near, depth), np.where(hit, box.label, labels)
        return depth.astype(np.float32), labels.astype(np.uint8)


def slabs(box: Box, centre: NDArray[np.floating], rays: NDArray[np.floating]) -> tuple[NDArray, NDArray]:
    first, second = (np.array(box.low) - centre) / rays, (np.array(box.high) - centre) / rays
    return np.minimum(first, second), np.maximum(first, second)


def looking(eye: tuple[float, float, float], at: tuple[float, float, float], roll: float = 0.0) -> NDArray[np.float64]:
    """Camera to world (4, 4) of an upright camera at ``eye`` that looks at ``at``, rolled by ``roll`` radians."""
    forward = np.subtract(at, eye) / np.linalg.norm(np.subtract(at, eye))
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    pose = np.eye(4)
    pose[:3, 0] = np.cos(roll) * right + np.sin(roll) * down
    pose[:3, 1] = np.cos(roll) * down - np.sin(roll) * right
    pose[:3, 2], pose[:3, 3] = forward, eye
    return pose


def film(room: Room, cameras: list[NDArray[np.float64]], shape: tuple[int, int]) -> tuple[MetricScene, Semantics]:
    """What exact depth and labels of the room make of some cameras."""
    views = [room.view(camera, shape) for camera in cameras]
    depth, labels = np.stack([v[0] for v in views]), np.stack([v[1] for v in views])
    scene = MetricScene(
        intrinsics=np.repeat(INTRINSICS[None], len(cameras), axis=0),
        camera_to_world=np.stack(cameras).astype(np.float32),
        depth=depth,
        confidence=np.ones_like(depth),
        registered=np.ones(len(cameras), np.bool_),
        ceiling_height=room.walls.high[2],
        up_confidence=1.0,
        scale_source=ScaleSource.FLOOR_TO_CEILING,
        world_from_reconstruction=np.eye(4),
    )
    return scene, Semantics(labels, np.zeros(labels.shape, np.uint16))
