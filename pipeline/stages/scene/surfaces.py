"""A clip's surfaces as points with normals, drawn evenly from its frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pixel_rays
from pipeline.contract.records import Reconstruction
from pipeline.geometry.normals import fit_planes
from pipeline.stages.scene.settings import SceneSettings


@dataclass(frozen=True)
class SurfaceSamples:
    """Points on surfaces: points (m, 3) and unit normals (m, 3) facing their camera, in the reconstruction's frame.

    seen_from: (m, 3), where the camera was that saw each; None where that is not known.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    seen_from: NDArray[np.float64] | None = None

    @classmethod
    def together(cls, parts: "Sequence[SurfaceSamples]") -> "SurfaceSamples":
        """Return all samples of several."""
        seen_from = [part.seen_from for part in parts if part.seen_from is not None]
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.normals for part in parts]),
            np.concatenate(seen_from) if len(seen_from) == len(parts) else None,
        )

    def where(self, kept: NDArray[np.bool_]) -> "SurfaceSamples":
        """Return the samples that are kept, (m,)."""
        seen_from = None if self.seen_from is None else self.seen_from[kept]
        return SurfaceSamples(self.points[kept], self.normals[kept], seen_from)


def sample_surfaces(reconstruction: Reconstruction, settings: SceneSettings) -> SurfaceSamples:
    """Draw pixels whose surroundings are flat, equally many from all frames where they can be had."""
    frames = np.flatnonzero(reconstruction.registered)
    draw = np.random.default_rng(settings.seed)
    samples = []
    for f in frames:
        depth = reconstruction.depth[f]
        rays = pixel_rays(reconstruction.intrinsics[f], (depth.shape[0], depth.shape[1]))
        planes = fit_planes(depth, rays, settings.window_share, settings.roughness_max)
        flat = np.flatnonzero(planes.flat)
        chosen = draw.choice(flat, min(len(flat), settings.samples // len(frames)), replace=False)
        pose = reconstruction.camera_to_world[f].astype(np.float64)
        in_camera = rays.reshape(-1, 3)[chosen] * planes.depth.reshape(-1, 1)[chosen]
        points, normals = in_camera @ pose[:3, :3].T + pose[:3, 3], planes.normals.reshape(-1, 3)[chosen]
        samples.append(SurfaceSamples(points, normals @ pose[:3, :3].T, np.tile(pose[:3, 3], (len(chosen), 1))))
    return SurfaceSamples.together(samples)
