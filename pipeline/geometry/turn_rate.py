"""How fast a camera turns while it takes a picture, by the optical flow to the film's pictures just before and after.

Corners are tracked (Lucas and Kanade, in pyramids; Bouguet 2000) and tracked back; one rotation explains most of their
way. What a step of the camera adds is taken for a turn as far as one is like it, which is what moves most of the
picture. The focal length need not be known: rays are those of a usual camera (``FOCAL``), and whoever turns pixels by
what was found so uses the same.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_WIDTH
from pipeline.geometry.distortion import CENTRE, Distortion

FOCAL = 0.85 * FRAME_WIDTH
"""Pixels, of a usual camera: about its optical axis it makes no difference, at a corner a tenth."""

Grey = NDArray[np.uint8]

CORNERS, APART, FEWEST = 400, 8, 20
"""Corners looked for, pixels between them, and tracked ones below which nothing is told."""

RETURNED = 1.0
"""Pixels from where it began within which a corner comes back that was tracked there and back."""

SAME = 0.3
"""Mean difference of grey levels below which the film shows one picture twice."""

_WINDOW, _LEVELS, _QUALITY = 21, 4, 0.005
_ROUNDS, _LEAST_SCALE = 10, 2.0


@dataclass(frozen=True)
class Neighbour:
    """A picture of the film (480, 640) uint8 beside another one. seconds: how much later it was taken; not 0."""

    grey: Grey
    seconds: float


def rays(pixels: Float64s) -> Float64s:
    """Return the rays (n, 3) of pixels (n, 2), z = 1, as a usual camera sees them."""
    return np.column_stack([(pixels - CENTRE) / FOCAL, np.ones(len(pixels))])


def pixels_of(directions: Float64s) -> Float64s:
    """Return where a usual camera sees directions (n, 3): pixels (n, 2)."""
    return np.asarray(directions[:, :2] / directions[:, 2:] * FOCAL + CENTRE)


def turn_rate(grey: Grey, neighbours: list[Neighbour], lens: Distortion) -> Float64s:
    """Return how fast what a picture (480, 640) shows turns: a rotation vector (3,), radians a second, camera axes.

    What is seen along the ray d is seen along exp(rate * t) d after t seconds, so that the camera itself turns the
    other way. It is the mean over the neighbours; nan where none of them tells.

    lens: by which pixels are straightened first.
    """
    corners = cv2.goodFeaturesToTrack(grey, CORNERS, _QUALITY, APART)
    found: list[Float64s] = []
    if corners is not None and len(corners) >= FEWEST:
        for neighbour in neighbours:
            if float(np.asarray(cv2.absdiff(grey, neighbour.grey)).mean()) < SAME:
                continue
            first, second = _tracked(grey, neighbour.grey, np.asarray(corners[:, 0], np.float32))
            if len(first) >= FEWEST:
                found.append(rotation_between(lens.straight(first), lens.straight(second)) / neighbour.seconds)
    return np.asarray(np.mean(found, axis=0)) if found else np.full(3, np.nan)


def rotation_between(first: Float64s, second: Float64s) -> Float64s:
    """Return the rotation vector (3,) that moves most pixels (n, 2) of one picture to those of another.

    Gauss-Newton with Geman and McClure's weights, whose scale follows the residuals down to two pixels.
    """
    across, down = np.median(second - first, axis=0)
    rotation = Rotation.from_rotvec(np.array([-down, across, 0.0]) / FOCAL)
    seen = rays(first)
    for _ in range(_ROUNDS):
        turned = rotation.apply(seen)
        off = second - pixels_of(turned)
        distance = np.linalg.norm(off, axis=1)
        scale = max(_LEAST_SCALE, 1.5 * float(np.median(distance)))
        weight = 1 / (1 + (distance / scale) ** 2) ** 2
        slope = turning(turned)
        normal = np.einsum("nai,n,naj->ij", slope, weight, slope)
        step = np.linalg.solve(normal + 1e-9 * np.eye(3), np.einsum("nai,n,na->i", slope, weight, off))
        rotation = Rotation.from_rotvec(step) * rotation
    return np.asarray(rotation.as_rotvec())


def turning(directions: Float64s) -> Float64s:
    """Return by how much pixels move where directions (n, 3) turn: (n, 2, 3), pixels a radian about each axis.

    With x = X/Z and y = Y/Z: du/dw = f (-x y, 1 + x^2, -y), dv/dw = f (-(1 + y^2), x y, x).
    """
    x, y = (directions[:, :2] / directions[:, 2:]).T
    across = np.stack([-x * y, 1 + x * x, -y], axis=1)
    down = np.stack([-(1 + y * y), x * y, x], axis=1)
    return FOCAL * np.stack([across, down], axis=1)


def _tracked(grey: Grey, other: Grey, corners: NDArray[np.float32]) -> tuple[Float64s, Float64s]:
    """Return where corners (n, 2) that come back are in both pictures: (m, 2) each, centres at integers + 0.5."""
    there, found = _flow(grey, other, corners)
    back, returned = _flow(other, grey, there)
    kept = found & returned & (np.linalg.norm(back - corners, axis=1) < RETURNED)
    return corners[kept].astype(np.float64) + 0.5, there[kept].astype(np.float64) + 0.5


def _flow(grey: Grey, other: Grey, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        grey, other, points[:, None], np.empty_like(points[:, None]), winSize=(_WINDOW, _WINDOW), maxLevel=_LEVELS
    )
    return np.asarray(moved[:, 0], np.float32), np.asarray(status[:, 0] > 0)
