"""A clip's surfaces as points with normals, drawn evenly from its frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pixel_rays
from pipeline.contract.records import Reconstruction
from pipeline.geometry.normals import fit_planes
from pipeline.stages.scene.settings import SceneSettings


@dataclass(frozen=True)
class SurfaceSamples:
    """Points on surfaces: points (m, 3) and unit normals (m, 3) facing their camera, in the reconstruction's frame."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]


def sample_surfaces(reconstruction: Reconstruction, settings: SceneSettings) -> SurfaceSamples:
    """Draw pixels whose surroundings are flat, equally many from all frames where they can be had."""
    frames = np.flatnonzero(reconstruction.registered)
    draw = np.random.default_rng(settings.seed)
    points, normals = [], []
    for f in frames:
        depth = reconstruction.depth[f]
        rays = pixel_rays(reconstruction.intrinsics[f], (depth.shape[0], depth.shape[1]))
        planes = fit_planes(depth, rays, settings.window_share, settings.roughness_max)
        flat = np.flatnonzero(planes.flat)
        chosen = draw.choice(flat, min(len(flat), settings.samples // len(frames)), replace=False)
        pose = reconstruction.camera_to_world[f].astype(np.float64)
        in_camera = rays.reshape(-1, 3)[chosen] * planes.depth.reshape(-1, 1)[chosen]
        points.append(in_camera @ pose[:3, :3].T + pose[:3, 3])
        normals.append(planes.normals.reshape(-1, 3)[chosen] @ pose[:3, :3].T)
    return SurfaceSamples(np.concatenate(points), np.concatenate(normals))
