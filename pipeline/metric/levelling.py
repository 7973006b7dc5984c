"""Up, settled by whole planes: a floor metres wide tells it better than the normals of its patches."""

import numpy as np
from numpy.typing import NDArray

from pipeline.metric.settings import MetricSettings
from pipeline.metric.surfaces import SurfaceSamples
from pipeline.planes import plane_offsets, points_of_one_plane

LARGE_PLANE = 0.02
"""Share of all samples from which on a plane has a say."""


def level(surfaces: SurfaceSamples, rotation: NDArray[np.float64], settings: MetricSettings) -> NDArray[np.float64]:
    """Return the up direction (3,) of whole floors and walls, near that of ``rotation`` (3, 3), rows x, y and up.

    It minimises the squared distances by which floors would leave the horizontal, and walls the plumb line.
    """
    up = rotation[2]
    misfit = 1e-12 * (np.eye(3) - np.outer(up, up))
    for axis in rotation:
        for plane in large_planes(surfaces, axis, settings):
            scatter = np.cov(plane.T) * len(plane)
            if axis is up:
                misfit += scatter
            else:
                normal = np.linalg.eigh(scatter)[1][:, 0]
                misfit += np.outer(normal, normal) * (up @ scatter @ up)
    best = np.linalg.eigh(misfit)[1][:, 0]
    return np.asarray(best if best @ up > 0 else -best, np.float64)


def large_planes(
    surfaces: SurfaceSamples, axis: NDArray[np.float64], settings: MetricSettings
) -> list[NDArray[np.float64]]:
    """Return the points (k, 3) of every large plane roughly orthogonal to ``axis`` (3,)."""
    spread = np.linalg.norm(surfaces.points - np.median(surfaces.points, axis=0), axis=1)
    thickness = settings.plane_share * float(np.median(spread))
    facing = np.abs(surfaces.normals @ axis) > np.cos(np.radians(settings.tilt_max_deg))
    aligned = surfaces.points[facing]
    along, share_min = aligned @ axis, LARGE_PLANE * len(surfaces.points) / max(len(aligned), 1)
    near = (
        aligned[np.abs(along - offset) < 3 * thickness] for offset in plane_offsets(along, 3 * thickness, share_min)
    )
    return [points_of_one_plane(points, axis, thickness) for points in near]
