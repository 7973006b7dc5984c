"""Up, settled by whole planes: a floor metres wide tells it better than the normals of its patches."""

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry.planes import plane_offsets, points_of_one_plane
from pipeline.stages.scene.orientation import unit
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples

LARGE_PLANE = 0.02
"""Share of all samples from which on a plane has a say."""


def level(surfaces: SurfaceSamples, rotation: NDArray[np.float64], settings: SceneSettings) -> NDArray[np.float64]:
    """Return the up direction (3,) of whole floors and walls, near that of ``rotation`` (3, 3), rows x, y and up.

    It minimises the squared distances by which floors would leave the horizontal and walls the plumb line. A tilt that
    no plane speaks against costs as much as if it moved the scene by a plane's thickness at ``agreement_deg``, so that
    a lone wall leaves the tilt about its own normal as it was.
    """
    tangents, up = rotation[:2], rotation[2]
    misfit = sum((_spread(plane, surfaces) for plane in large_planes(surfaces, up, settings)), np.zeros((3, 3)))
    for axis in tangents:
        for plane in large_planes(surfaces, axis, settings):
            spread = _spread(plane, surfaces)
            normal = np.linalg.eigh(spread)[1][:, 0]
            misfit += np.outer(normal, normal) * (up @ spread @ up)
    reluctance = (plane_thickness(surfaces, settings) / np.radians(settings.agreement_deg)) ** 2
    tilt = np.linalg.solve(tangents @ misfit @ tangents.T + reluctance * np.eye(2), -tangents @ misfit @ up)
    return unit(up + tilt @ tangents)


def _spread(plane: NDArray[np.float64], surfaces: SurfaceSamples) -> NDArray[np.float64]:
    """Return the covariance (3, 3) of a plane's points (k, 3), weighted by their share of all samples."""
    return np.asarray(np.cov(plane.T) * len(plane) / len(surfaces.points), np.float64)


def plane_thickness(surfaces: SurfaceSamples, settings: SceneSettings) -> float:
    """Return the thickness that noise gives to a plane, reconstruction's unit."""
    spread = np.linalg.norm(surfaces.points - np.median(surfaces.points, axis=0), axis=1)
    return settings.plane_share * float(np.median(spread))


def large_planes(
    surfaces: SurfaceSamples, axis: NDArray[np.float64], settings: SceneSettings
) -> list[NDArray[np.float64]]:
    """Return the points (k, 3) of every large plane roughly orthogonal to ``axis`` (3,)."""
    thickness = plane_thickness(surfaces, settings)
    facing = np.abs(surfaces.normals @ axis) > np.cos(np.radians(settings.tilt_max_deg))
    aligned = surfaces.points[facing]
    along, share_min = aligned @ axis, LARGE_PLANE * len(surfaces.points) / max(len(aligned), 1)
    near = (
        aligned[np.abs(along - offset) < 3 * thickness] for offset in plane_offsets(along, 3 * thickness, share_min)
    )
    return [points_of_one_plane(points, axis, thickness) for points in near]
