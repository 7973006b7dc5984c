"""Radius and statistical outlier filter of a clip's point cloud, applied to its depth maps."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.records import Reconstruction
from pipeline.stages.scene.settings import OutlierSettings


def inlier_pixels(reconstruction: Reconstruction, settings: OutlierSettings) -> NDArray[np.bool_]:
    """Return which pixels (n, h, w) have a depth that belongs to a surface, not to a stray point.

    The cloud is thinned to one point a small cube; a cube is dropped with all its pixels when too few cubes are near
    it, or when its nearest ones are far compared with the rest of the cloud.
    """
    kept = (reconstruction.depth > 0) & np.isfinite(reconstruction.depth)
    kept &= reconstruction.registered[:, None, None]
    if not kept.any():
        return kept
    unit = float(np.median(reconstruction.depth[kept]))
    points = np.concatenate(
        [
            pointmap(reconstruction.depth[f], reconstruction.intrinsics[f], reconstruction.camera_to_world[f])[kept[f]]
            for f in np.flatnonzero(reconstruction.registered)
        ]
    )
    centroids, cube = thinned(points / unit, settings.voxel_share)
    kept[kept] = surface_points(centroids, settings)[cube]
    return kept


def thinned(points: NDArray[np.float64], side: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the centroids (k, 3) of the filled cubes of a lattice and the cube (m,) of every point (m, 3)."""
    index = np.floor(points / side)
    index = np.clip(index - np.median(index, axis=0).round(), -(2**20), 2**20 - 1).astype(np.int64) + 2**20
    keys = (index[:, 0] << 42) | (index[:, 1] << 21) | index[:, 2]
    _, cube, count = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(cube, points[:, axis], len(count)) for axis in range(3)], axis=1)
    return sums / count[:, None], cube


def surface_points(points: NDArray[np.float64], settings: OutlierSettings) -> NDArray[np.bool_]:
    """Return which points (k,) of a thinned cloud (k, 3) pass the radius filter and then the statistical one."""
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    near, first = cloud.remove_radius_outlier(settings.radius_neighbours, settings.radius_share)
    _, second = near.remove_statistical_outlier(settings.statistical_neighbours, settings.statistical_deviations)
    passed = np.zeros(len(points), np.bool_)
    passed[np.asarray(first, np.int64)[np.asarray(second, np.int64)]] = True
    return passed
