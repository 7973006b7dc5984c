"""Tells a camera that moved from one that only turned, from feature matches alone, before any mapping."""

from typing import TYPE_CHECKING

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

if TYPE_CHECKING:
    import pycolmap


FOCALS = FRAME_WIDTH * np.geomspace(0.4, 2.0, 12)
"""Focal lengths tried, pixels: a turn of the camera looks like one under the right focal length only."""


def parallax_of(database: "pycolmap.Database") -> float:
    """Return how far the verified matches move beyond what any turn explains, pixels.

    The best turn of each pair is found for a range of focal lengths; the figure is the 75th percentile over pairs
    (neighbours hardly move) of the pair's median residual, at the focal length where it is smallest; nan without pairs.
    """
    pairs = list(_matched_points(database))
    if not pairs:
        return float("nan")
    residuals = [[rotation_residual(first, second, focal) for first, second in pairs] for focal in FOCALS]
    return float(np.percentile(residuals, 75, axis=1).min())


def rotation_residual(first: Float64s, second: Float64s, focal: float) -> float:
    """Return the median distance in pixels of ``second`` from ``first`` turned by the best rotation.

    first, second: (m, 2) matched pixels. Least squares by SVD (Kabsch), reweighted towards least absolute deviation.
    """
    rays, rays_second = _unit_rays(first, focal), _unit_rays(second, focal)
    weight = np.ones(len(rays))
    distance = weight
    for _ in range(4):
        left, _, right = np.linalg.svd((rays_second * weight[:, None]).T @ rays)
        rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
        distance = np.linalg.norm(rays_second - rays @ rotation.T, axis=1) * focal
        weight = 1 / np.maximum(distance, 0.5)
    return float(np.median(distance))


def _matched_points(database: "pycolmap.Database") -> "list[tuple[Float64s, Float64s]]":
    import pycolmap

    keypoints = {image.image_id: database.read_keypoints(image.image_id) for image in database.read_all_images()}
    pairs = []
    for pair_id, geometry in zip(*database.read_two_view_geometries(), strict=True):
        if len(geometry.inlier_matches) == 0:
            continue
        first, second = pycolmap.pair_id_to_image_pair(pair_id)
        match = geometry.inlier_matches
        pairs.append(
            (
                keypoints[first][match[:, 0], :2].astype(np.float64),
                keypoints[second][match[:, 1], :2].astype(np.float64),
            )
        )
    return pairs


def _unit_rays(pixels: Float64s, focal: float) -> Float64s:
    centred = pixels - (FRAME_WIDTH / 2, FRAME_HEIGHT / 2)
    rays = np.column_stack([centred, np.full(len(pixels), focal)])
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))
