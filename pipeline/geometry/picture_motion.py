"""How fast what a picture shows moves, by the optical flow to the film's pictures just before and after.

Corners are tracked (Lucas and Kanade, in pyramids; Bouguet 2000) and tracked back. A rotation explains most of their
way, that of a camera that turns; of what is left, steps of the camera above all, an affine motion explains most again.
The focal length need not be known: rays are those of a usual camera (``FOCAL``), and whoever moves pixels by what was
found so uses the same.

A motion is nine numbers: the rotation vector of what is seen, radians in camera axes, and an affine motion that is
added, pixels across (1, x, y) and down (1, x, y), where x and y are pixels from the centre over ``FOCAL``. A rate is a
motion a second.
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

MOTION = 9
"""Numbers of a motion."""

HELD = 0.1
"""Ridge of the affine motion: of few corners, or of corners in one place, it is hardly believed."""

FASTEST = 2 * np.pi
"""Radians a second that no camera turns whose pictures still show corners: what is faster was tracked wrongly."""

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


def motion_rate(grey: Grey, neighbours: list[Neighbour], lens: Distortion) -> Float64s:
    """Return how fast what a picture (480, 640) shows moves: a motion a second (9,).

    It is the mean over the neighbours; nan where none of them tells, or what they tell cannot be.

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
                found.append(motion_between(lens.straight(first), lens.straight(second)) / neighbour.seconds)
    rate = np.asarray(np.mean(found, axis=0)) if found else np.full(MOTION, np.nan)
    return rate if np.isfinite(rate).all() and np.linalg.norm(rate[:3]) < FASTEST else np.full(MOTION, np.nan)


def later(pixels: Float64s, motions: Float64s) -> Float64s:
    """Return where pixels (n, 2) are after motions (n, 9) or (9,)."""
    turned = pixels_of(np.asarray(Rotation.from_rotvec(motions[..., :3]).apply(rays(pixels))))
    affine = motions[..., 3:].reshape(*motions.shape[:-1], 2, 3)
    return np.asarray(turned + np.einsum("...ai,...i->...a", affine, _places(pixels)))


def motion_between(first: Float64s, second: Float64s) -> Float64s:
    """Return the motion (9,) that moves most pixels (n, 2) of one picture to those of another.

    Gauss-Newton with Geman and McClure's weights, whose scale follows the residuals down to two pixels.
    """
    across, down = np.median(second - first, axis=0)
    motion = np.zeros(MOTION)
    motion[:2] = -down / FOCAL, across / FOCAL
    held = np.diag([1e-9] * 3 + [HELD] * 6)
    for _ in range(_ROUNDS):
        turned = Rotation.from_rotvec(motion[:3]).apply(rays(first))
        off = second - later(first, motion)
        weight = _weights(off)
        slope = np.concatenate([turning(turned), _affine_slope(first)], axis=2)
        normal = np.einsum("nai,n,naj->ij", slope, weight, slope) + held
        step = np.linalg.solve(normal, np.einsum("nai,n,na->i", slope, weight, off) - held @ motion)
        motion[:3] = (Rotation.from_rotvec(step[:3]) * Rotation.from_rotvec(motion[:3])).as_rotvec()
        motion[3:] += step[3:]
    return motion


def _weights(off: Float64s) -> Float64s:
    distance = np.linalg.norm(off, axis=1)
    scale = max(_LEAST_SCALE, 1.5 * float(np.median(distance)))
    return np.asarray(1 / (1 + (distance / scale) ** 2) ** 2)


def _places(pixels: Float64s) -> Float64s:
    return np.column_stack([np.ones(len(pixels)), (pixels - CENTRE) / FOCAL])


def _affine_slope(pixels: Float64s) -> Float64s:
    """Return by how much pixels (n, 2) move with the six numbers of an affine motion (n, 2, 6)."""
    return np.asarray(np.einsum("ab,ni->nabi", np.eye(2), _places(pixels)).reshape(len(pixels), 2, 6))


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
