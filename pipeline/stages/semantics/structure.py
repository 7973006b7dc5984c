"""Labels from geometry alone: ceiling, floor and walls by planes, furniture where its level surface decides.

Windows, doors, pictures and screens that lie in the plane of a wall cannot be told from it and are labelled wall. What
is left over stays unknown: called furniture or objects by its size, it was the former on 0.16 of its pixels on tours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.camera import pixel_rays
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import MetricScene, Semantics
from pipeline.geometry.normals import fit_planes
from pipeline.stages.semantics.furniture import LEVEL_COSINE, furniture_labels
from pipeline.stages.semantics.regions import cut_superpixels
from pipeline.stages.semantics.settings import RegionSettings, StructureSettings
from pipeline.stages.semantics.walls import Wall, find_walls

ROOM_HEIGHT_M = 2.8
"""Height of a room whose ceiling is not seen (paper section 3.2)."""
LOWEST_ROOM_M = 1.9
"""A ceiling that is lower above a frame's floor is that of a room below."""
STRUCTURE_SAMPLES = 200_000


@dataclass(frozen=True)
class Surface:
    """A frame's pixels in the world: points (h, w, 3) metres, normals (h, w, 3), and where either is valid (h, w).

    z is the height above ``floor``, which is how high the floor of the frame lies; of what lies lower, above z = 0.
    """

    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    seen: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    floor: float = 0.0


class StructureSegmenter:
    """Labels a clip without weights; implements ``Segmenter``."""

    name: str = "structure"
    weights: Mapping[str, str] = MappingProxyType({})

    def __init__(self, settings: StructureSettings | None = None, regions: RegionSettings | None = None) -> None:
        self.settings = settings or StructureSettings()
        self.regions = regions or RegionSettings()

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        """Label frames (n, 480, 640, 3) uint8 RGB at the resolution of ``scene.depth``; what cannot be told is 255."""
        surfaces = [world_surface(scene, frame, self.settings) for frame in range(len(scene.depth))]
        labels = structure_labels(surfaces, scene.ceiling_height, self.settings)
        height, width = scene.depth.shape[1:]
        regions = [
            cut_superpixels(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), depth, self.regions)
            for picture, depth in zip(rgb, scene.depth, strict=True)
        ]
        return Semantics(labels, np.stack(regions))


def world_surface(scene: MetricScene, frame: int, settings: StructureSettings) -> Surface:
    """Lift one frame to the world, with a normal for every pixel whose surroundings are flat."""
    depth, floor = scene.depth[frame], 0.0 if scene.floor_height is None else float(scene.floor_height[frame])
    if not scene.registered[frame]:
        nowhere, never = np.zeros((*depth.shape, 3), np.float32), np.zeros(depth.shape, np.bool_)
        return Surface(nowhere, nowhere, never, never)
    rays = pixel_rays(scene.intrinsics[frame], (depth.shape[0], depth.shape[1]))
    planes = fit_planes(depth, rays, settings.window_share, settings.roughness_max)
    pose = scene.camera_to_world[frame].astype(np.float64)
    points = (rays * depth[..., None]) @ pose[:3, :3].T + pose[:3, 3]
    points[..., 2] -= np.where(points[..., 2] > floor - settings.slab_m, floor, 0.0)
    normals = planes.normals @ pose[:3, :3].T
    return Surface(points.astype(np.float32), normals.astype(np.float32), depth > 0, planes.flat, floor)


def structure_labels(surfaces: list[Surface], ceiling_height: float, settings: StructureSettings) -> NDArray[np.uint8]:
    """Label the pixels of a clip: (n, h, w) uint8. ceiling_height: metres, nan where no ceiling was seen."""
    walls = find_walls(*flat_samples(surfaces), np.nan_to_num(ceiling_height, nan=ROOM_HEIGHT_M), settings)
    labels = np.stack([room_labels(surface, walls, ceiling_height, settings) for surface in surfaces])
    seen = np.stack([surface.seen for surface in surfaces])
    rest = seen & (labels == SemanticClass.EMPTY)
    points, level = gathered(surfaces, rest)
    labels[rest] = furniture_labels(points, level)
    labels[~seen | (labels == SemanticClass.EMPTY)] = SemanticClass.UNKNOWN
    return labels


def gathered(surfaces: list[Surface], chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the points (m, 3) of the chosen pixels (n, h, w), and which (m,) are on surfaces that face up."""
    pairs = list(zip(surfaces, chosen, strict=True))
    points = np.concatenate([surface.points[inside] for surface, inside in pairs])
    level = [(surface.flat & (surface.normals[..., 2] > LEVEL_COSINE))[inside] for surface, inside in pairs]
    return points, np.concatenate(level)


def flat_samples(surfaces: list[Surface]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return evenly drawn flat points (m, 3) and their normals (m, 3)."""
    stride = max(sum(int(surface.flat.sum()) for surface in surfaces) // STRUCTURE_SAMPLES, 1)
    points = np.concatenate([surface.points[surface.flat][::stride] for surface in surfaces])
    return points, np.concatenate([surface.normals[surface.flat][::stride] for surface in surfaces])


def room_labels(
    surface: Surface, walls: list[Wall], ceiling_height: float, settings: StructureSettings
) -> NDArray[np.uint8]:
    """Label the pixels (h, w) of floor, ceiling and walls; 0 for the rest.

    A flat pixel must also face the right way; others belong to the plane they are near. ceiling_height: above z = 0.
    """
    z, upright = surface.points[..., 2], np.cos(np.radians(settings.tilt_max_deg))
    ceiling = ceiling_height - surface.floor if ceiling_height - surface.floor > LOWEST_ROOM_M else np.nan
    rough = ~surface.flat
    labels = np.zeros(z.shape, np.uint8)
    for wall in walls:
        facing = rough | wall.faces(surface.normals, settings.tilt_max_deg)
        labels[wall.holds(surface.points, settings.slab_m) & facing] = SemanticClass.WALL
    on_floor, on_ceiling = z < settings.slab_m, z > ceiling - settings.slab_m
    labels[on_floor & (rough | (surface.normals[..., 2] > upright))] = SemanticClass.FLOOR
    labels[on_ceiling & (rough | (surface.normals[..., 2] < -upright))] = SemanticClass.CEILING
    return labels
