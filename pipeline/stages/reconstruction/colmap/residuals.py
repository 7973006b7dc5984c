"""What a bundle adjustment leaves in the pictures, and whether one more parameter explains more than chance would."""

import numpy as np
import pycolmap
from numpy.typing import ArrayLike

from pipeline.contract.arrays import Float64s

HUBER = 1.0
"""Pixels beyond which an observation counts by its distance and no longer by its square: what COLMAP adjusts with."""


BEHIND = 800.0
"""Pixels that a point counts which its camera does not see, as it lies behind it: the picture's diagonal."""


def distances(model: pycolmap.Reconstruction) -> Float64s:
    """Return how far each observation (m,) lies from where its point and camera say, pixels."""
    found = [np.zeros(0)]
    for image_id in sorted(model.reg_image_ids()):
        seen = model.image(image_id).get_observation_points2D()
        if seen:
            place, _ = projected(model, image_id, [model.point3D(point.point3D_id).xyz for point in seen])
            found.append(np.linalg.norm(place - np.array([point.xy for point in seen]), axis=1))
    distance = np.concatenate(found)
    return np.where(np.isfinite(distance), distance, BEHIND)


def projected(model: pycolmap.Reconstruction, image_id: int, points: ArrayLike) -> tuple[Float64s, Float64s]:
    """Return where an image shows points (k, 3), pixels (k, 2), and how far in front of its camera they are (k,)."""
    image = model.image(image_id)
    matrix = image.cam_from_world().matrix()
    seen = np.asarray(points, np.float64) @ matrix[:, :3].T + matrix[:, 3]
    return np.array(model.camera(image.camera_id).img_from_cam(seen), np.float64), seen[:, 2]


def is_surely_less(before: Float64s, after: Float64s, least_gain: float, least_sure: float) -> bool:
    """Tell whether errors (k,) fell by so many standard errors of their fall, and by such a share."""
    fall = before - after
    certain = float(fall.mean()) > least_sure * float(fall.std()) / np.sqrt(len(fall))
    return bool(certain and after.mean() < (1 - least_gain) * before.mean())


def fall_of_cost(before: pycolmap.Reconstruction, after: pycolmap.Reconstruction) -> float:
    """Return the F statistic of one more parameter: near 1 where it explains noise, its square being how sure it is.

    Both models hold the same observations, each adjusted by Huber's cost, ``after`` with the parameter.
    """
    cost, fell = _cost(after), _cost(before) - _cost(after)
    # three numbers a point and six a camera are fitted to two numbers an observation
    fitted = 3 * after.num_points3D() + 6 * after.num_reg_images()
    freedom = 2 * after.compute_num_observations() - fitted
    return fell / cost * freedom if cost > 0 and freedom > 0 else 0.0


def _cost(model: pycolmap.Reconstruction) -> float:
    distance = distances(model)
    return float(np.where(distance <= HUBER, distance**2, 2 * HUBER * distance - HUBER**2).sum())
