"""How long a shutter takes from the first row to the last one, told by cameras that were found as if it took no time.

A bundle adjustment with one more unknown: the pixels of a frame, which move at a known rate, are brought to the moment
of its middle row, as far as the readout says, and cameras, points, the focal length and the readout are adjusted until
they agree (Gauss-Newton, damped; points are eliminated, Hartley and Zisserman, appendix 6). How sharply the cost rises
about its least value is how sure the readout is. A camera that moves alike in all frames tells nothing: its pictures
are all sheared alike, and cameras explain that.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s, Int64s
from pipeline.contract.records import FRAME_HEIGHT
from pipeline.geometry.distortion import CENTRE
from pipeline.geometry.picture_motion import later
from pipeline.geometry.slopes import cross_matrices, pixel_slopes

SCALE = 2.0
"""Pixels at which an observation loses its weight (Geman and McClure)."""

_ROUNDS, _SETTLED = 25, 1e-6
_DAMPED, _GIVEN_UP = 1e-3, 1e8
_NEAREST = 1e-6
_CAMERA, _SHARED = 6, 3
"""Unknowns of a camera (turn, step), and of all of them (bend, ln focal length, readout)."""


@dataclass(frozen=True)
class Sightings:
    """Which of n frames sees which of m points where, and how fast its picture moves.

    frame, point: (k,) int64. pixel: (k, 2), pixels. rates: (n, 9), as ``motion_rate`` returns them.
    """

    frame: Int64s
    point: Int64s
    pixel: Float64s
    rates: Float64s

    @cached_property
    def drift(self) -> Float64s:
        """How far each pixel was moved for every second of readout (k, 2)."""
        second = 1e-4
        share = self.pixel[:, 1] / FRAME_HEIGHT - 0.5
        moved = later(self.pixel, -self.rates[self.frame] * (second * share)[:, None])
        return (self.pixel - moved) / second


@dataclass(frozen=True)
class Bundle:
    """Cameras and points, up to scale.

    rotation: (n, 3, 3) and position: (n, 3), camera from world. points: (m, 3). log_focal: ln of pixels. readout: s.
    bend: radial coefficient of what is left of a lens, which else a readout would stand for. aspect: vertical over
    horizontal focal length, which stays as it is.
    """

    rotation: Float64s
    position: Float64s
    points: Float64s
    log_focal: float
    readout: float = 0.0
    bend: float = 0.0
    aspect: float = 1.0

    @property
    def focal(self) -> Float64s:
        """Focal lengths (2,) across and down, pixels."""
        return np.asarray(np.exp(self.log_focal) * np.array([1.0, self.aspect]))

    def seen(self, sightings: Sightings) -> Float64s:
        """Return the points of sightings in their cameras' axes (k, 3)."""
        turned = np.einsum("kij,kj->ki", self.rotation[sightings.frame], self.points[sightings.point])
        return np.asarray(turned + self.position[sightings.frame])

    def residuals(self, sightings: Sightings) -> Float64s:
        """Return by how much points lie elsewhere than they are seen (k, 2), pixels at the middle row's moment."""
        seen = self.seen(sightings)
        ideal = seen[:, :2] / np.maximum(seen[:, 2:], _NEAREST)
        place = self.focal * ideal * (1 + self.bend * (ideal**2).sum(axis=1, keepdims=True)) + CENTRE
        return np.asarray(place - (sightings.pixel - self.readout * sightings.drift))

    def moved(self, step: Float64s, points: Float64s) -> "Bundle":
        """Return it after a step (6 n + 3,) of the cameras and one of the points (m, 3)."""
        cameras = step[:-_SHARED].reshape(-1, _CAMERA)
        return Bundle(
            Rotation.from_rotvec(cameras[:, :3]).as_matrix() @ self.rotation,
            self.position + cameras[:, 3:],
            self.points + points,
            self.log_focal + float(step[-2]),
            self.readout + float(step[-1]),
            self.bend + float(step[-3]),
            self.aspect,
        )


@dataclass(frozen=True)
class Readout:
    """seconds: from the first row to the last one. deviation: its standard deviation. focal: pixels, with it.

    cost: what is left unexplained, of which each sighting may have 1.
    """

    seconds: float
    deviation: float
    focal: float
    cost: float


def find_readout(bundle: Bundle, sightings: Sightings) -> Readout:
    """Adjust cameras, points, focal length and readout to sightings of at least three frames.

    The deviation is infinite where nothing is told: of a camera of which no sighting is left that agrees, say.
    """
    try:
        return _found(bundle, sightings)
    except np.linalg.LinAlgError:
        return Readout(0.0, np.inf, float(np.exp(bundle.log_focal)), np.inf)


def _found(bundle: Bundle, sightings: Sightings) -> Readout:
    damping, cost = _DAMPED, _cost(bundle, sightings)
    for _ in range(_ROUNDS):
        equations = _Equations.of(bundle, sightings)
        while True:
            tried = bundle.moved(*equations.step(damping))
            new = _cost(tried, sightings)
            if new <= cost or damping > _GIVEN_UP:
                break
            damping *= 10
        if not new <= cost:
            break
        is_settled = cost - new < _SETTLED * cost
        bundle, cost, damping = tried, new, max(0.3 * damping, 1e-9)
        if is_settled:
            break
    deviation = _Equations.of(bundle, sightings).deviation(bundle, sightings)
    return Readout(bundle.readout, deviation, float(np.exp(bundle.log_focal)), cost)


def _cost(bundle: Bundle, sightings: Sightings) -> float:
    squared = (bundle.residuals(sightings) ** 2).sum(axis=1) / SCALE**2
    return float((squared / (1 + squared)).sum())


def _weights(off: Float64s) -> Float64s:
    return np.asarray(1 / (1 + (off**2).sum(axis=1) / SCALE**2) ** 2)


@dataclass(frozen=True)
class _Equations:
    """Normal equations, weighted: cameras and what they share A (d, d), b (d,), points V (m, 3, 3), c, both W."""

    cameras: Float64s
    right: Float64s
    points: Float64s
    right_points: Float64s
    mixed: Float64s

    @classmethod
    def of(cls, bundle: Bundle, sightings: Sightings) -> "_Equations":
        off = bundle.residuals(sightings)
        weight = _weights(off)
        camera, shared, point = _slopes(bundle, sightings)
        n, m = len(bundle.rotation), len(bundle.points)
        size = _CAMERA * n + _SHARED
        places = _CAMERA * sightings.frame[:, None] + np.arange(_CAMERA)
        columns = np.concatenate(
            [places, np.broadcast_to(np.arange(size - _SHARED, size), (len(places), _SHARED))], axis=1
        )
        slope = np.concatenate([camera, shared], axis=2)
        weighted, weighted_point = slope * weight[:, None, None], point * weight[:, None, None]
        a, b = np.zeros((size, size)), np.zeros(size)
        np.add.at(a, (columns[:, :, None], columns[:, None, :]), np.einsum("kai,kaj->kij", weighted, slope))
        np.add.at(b, columns, np.einsum("kai,ka->ki", weighted, off))
        v, c, w = np.zeros((m, 3, 3)), np.zeros((m, 3)), np.zeros((m, size, 3))
        np.add.at(v, sightings.point, np.einsum("kai,kaj->kij", weighted_point, point))
        np.add.at(c, sightings.point, np.einsum("kai,ka->ki", weighted_point, off))
        np.add.at(w, (sightings.point[:, None], columns), np.einsum("kai,kaj->kij", weighted, point))
        return cls(a, b, v, c, w)

    def step(self, damping: float) -> tuple[Float64s, Float64s]:
        """Return the step of cameras (d,) and of points (m, 3): (A - W V^-1 W^T) x = -(b - W V^-1 c)."""
        inverse = np.linalg.inv(self._damped_points(damping))
        reduced = self.cameras + damping * np.diag(np.diag(self.cameras)) + 1e-9 * np.eye(len(self.right))
        spread = self.mixed @ inverse
        reduced -= np.einsum("mik,mjk->ij", spread, self.mixed, optimize=True)
        cameras = -np.linalg.solve(reduced, self.right - np.einsum("mik,mk->i", spread, self.right_points))
        left = self.right_points + np.einsum("mik,i->mk", self.mixed, cameras)
        return cameras, -np.einsum("mij,mj->mi", inverse, left)

    def deviation(self, bundle: Bundle, sightings: Sightings) -> float:
        """Return the standard deviation of the readout: its entry of the inverse, times the residuals' variance."""
        reduced = self.cameras + 1e-7 * np.diag(np.diag(self.cameras)) + 1e-9 * np.eye(len(self.right))
        spread = self.mixed @ np.linalg.inv(self._damped_points(0.0))
        reduced -= np.einsum("mik,mjk->ij", spread, self.mixed, optimize=True)
        off = bundle.residuals(sightings)
        freedom = max(1, 2 * len(off) - _CAMERA * len(bundle.rotation) - 3 * len(bundle.points))
        variance = float((_weights(off)[:, None] * off**2).sum()) / freedom
        return float(np.sqrt(max(0.0, np.linalg.inv(reduced)[-1, -1]) * variance))

    def _damped_points(self, damping: float) -> Float64s:
        return self.points + damping * self.points * np.eye(3) + 1e-9 * np.eye(3)


def _slopes(bundle: Bundle, sightings: Sightings) -> tuple[Float64s, Float64s, Float64s]:
    """Return what residuals change by with cameras (k, 2, 6), what they share (k, 2, 3), and points (k, 2, 3).

    A bend is small and moves slowly with the rest: its part in the slopes of cameras and points is left out.
    """
    seen, focal = bundle.seen(sightings), bundle.focal
    z = np.maximum(seen[:, 2:], _NEAREST)
    place = pixel_slopes(np.concatenate([seen[:, :2], z], axis=1), focal)
    around = seen - bundle.position[sightings.frame]
    turn = -place @ cross_matrices(around)
    ideal = seen[:, :2] / z
    shared = np.stack([focal * ideal * (ideal**2).sum(axis=1, keepdims=True), focal * ideal, sightings.drift], axis=2)
    return np.concatenate([turn, place], axis=2), shared, place @ bundle.rotation[sightings.frame]


def of_frames(sightings: Sightings, kept: Int64s) -> tuple[Sightings, Int64s]:
    """Return the sightings of some frames, of points that at least two of them see, numbered anew; and those points.

    kept: frames, rising.
    """
    place = np.full(len(sightings.rates), -1)
    place[kept] = np.arange(len(kept))
    own = place[sightings.frame] >= 0
    times = np.bincount(sightings.point[own], minlength=int(sightings.point.max(initial=-1)) + 1)
    own &= times[sightings.point] >= 2
    points, number = np.unique(sightings.point[own], return_inverse=True)
    found = replace(
        sightings,
        frame=place[sightings.frame[own]],
        point=number,
        pixel=sightings.pixel[own],
        rates=sightings.rates[kept],
    )
    return found, points
