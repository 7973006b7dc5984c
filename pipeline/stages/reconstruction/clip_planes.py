"""Planes of a clip: walls, floors and fronts that the measured depth of all its frames lies on, and where they go on.

A network of single pictures bends a wall that it continues beyond what was measured of it; the wall itself is known.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.geometry.normals import PlaneFits, fit_planes
from pipeline.stages.reconstruction.colmap.views import ClipViews

_MOST, _SHARE, _FEWEST = 24, 0.004, 50
"""Planes of a clip, and of its points so many that one must hold."""

_POINTS, _JUDGES, _TRIES, _ROUNDS = 60_000, 3000, 400, 3
_THIN, _THICK = 0.01, 0.015
"""Distance from a plane, shares of depth: of points that make it, and of those that are taken away with it."""

_ALIKE, _KIN, _FACING = (float(np.cos(np.radians(angle))) for angle in (12, 20, 30))
_WIDE = 0.02
"""Deviation of a plane's points across its narrower extent, shares of depth."""

_GAP, _PULL = 0.15, 0.5
"""Picture widths up to which a plane goes on from where it was measured, and what one counts beside a log ratio."""


class Plane(NamedTuple):
    """Points x of the world with normal . x = offset; the normal (3,) is of unit length, towards who saw it."""

    normal: Float64s
    offset: float

    def depth(self, camera_to_world: Float64s, rays: Float64s) -> Float64s:
        """Return the depth (h, w) at which rays (h, w, 3), z = 1, of a camera meet the side that was seen; else 0."""
        slope = rays @ (camera_to_world[:3, :3].T @ self.normal)
        height = self.offset - float(self.normal @ camera_to_world[:3, 3])
        meets = (slope < -1e-3) & (height < 0)
        return np.where(meets, height / np.where(meets, slope, 1), 0)


class _Cloud(NamedTuple):
    """Points (m, 3), normals (m, 3), and depth (m,) at which each was seen."""

    points: Float64s
    normals: Float64s
    depth: Float64s

    def of(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "_Cloud":
        return _Cloud(*(part[chosen] for part in self))

    def on(self, plane: Plane, thickness: float, cosine: float) -> NDArray[np.bool_]:
        near = np.abs(self.points @ plane.normal - plane.offset) < thickness * self.depth
        return np.asarray(near & (self.normals @ plane.normal > cosine))


def planes_of(views: ClipViews, depth: Floats, rays: list[Float64s]) -> list[Plane]:
    """Return the planes that most of the depth (r, h, w) of a clip lies on, the largest first."""
    cloud, draw = _cloud(views, depth, rays), np.random.default_rng(0)
    enough, found = max(_SHARE * len(cloud.points), _FEWEST), list[Plane]()
    while len(found) < _MOST and len(cloud.points) >= enough:
        plane = _likeliest(cloud, draw)
        taken = cloud.on(plane, _THICK, _KIN)
        if np.count_nonzero(taken) < enough:
            break
        if _is_wide(cloud.of(taken)):
            found.append(plane)
        cloud = cloud.of(~taken)
    return found


def _cloud(views: ClipViews, depth: Floats, rays: list[Float64s]) -> _Cloud:
    every = max(int(np.sqrt(depth.size / _POINTS)), 1)
    parts = []
    for view, pose in enumerate(views.camera_to_world):
        fits = fit_planes(depth[view], rays[view], 0.03, 0.02)
        grid = np.zeros_like(fits.flat)
        grid[::every, ::every] = True
        chosen = fits.flat & grid
        local = rays[view][chosen] * depth[view][chosen][:, None].astype(np.float64)
        world = local @ pose[:3, :3].T + pose[:3, 3]
        parts.append(_Cloud(world, fits.normals[chosen] @ pose[:3, :3].T, local[:, 2]))
    return _Cloud(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _is_wide(cloud: _Cloud) -> bool:
    """Tell a plane from the rounded edge between two, which is as wide as the windows that slopes are taken over."""
    return float(np.sqrt(max(np.linalg.eigvalsh(np.cov(cloud.points.T))[1], 0))) > _WIDE * float(np.median(cloud.depth))


def _likeliest(cloud: _Cloud, draw: np.random.Generator) -> Plane:
    """Return the plane, of those through some points with their normals, that most others lie on, fitted to these."""
    tried, judges = (
        cloud.of(draw.choice(len(cloud.points), min(count, len(cloud.points)), replace=False))
        for count in (_TRIES, _JUDGES)
    )
    offsets = (tried.points * tried.normals).sum(axis=1)
    near = np.abs(judges.points @ tried.normals.T - offsets) < _THIN * judges.depth[:, None]
    best = int((near & (judges.normals @ tried.normals.T > _ALIKE)).sum(axis=0).argmax())
    plane = Plane(tried.normals[best], float(offsets[best]))
    for _ in range(_ROUNDS):
        points = cloud.points[cloud.on(plane, _THIN, _ALIKE)]
        if len(points) < _FEWEST:
            break
        fitted = np.linalg.eigh(np.cov(points.T))[1][:, 0]
        fitted *= np.sign(fitted @ plane.normal)
        if fitted @ plane.normal < _ALIKE:
            break
        plane = Plane(fitted, float(np.median(points @ fitted)))
    return plane


def along_planes(
    planes: list[Plane], camera_to_world: Float64s, rays: Float64s, seen: Floats, known: Floats, reach: float
) -> Floats:
    """Return the depth (h, w) of the planes that go on where a network sees a surface; 0 where none does.

    seen: (h, w), the network's depth, fitted. known: (h, w), what was measured. A plane goes on from where the frame
    has measured depth on it, if ``seen`` has about its slope and lies within a log ratio of ``reach``.
    """
    fits = fit_planes(seen, rays, 0.05, 0.05)
    found, least = np.zeros(seen.shape), np.full(seen.shape, np.inf)
    for plane in planes:
        depth = plane.depth(camera_to_world, rays)
        away = _away(known, depth)
        both = (depth > 0) & (seen > 0)
        off = np.abs(np.log(np.where(both, depth, 1) / np.where(both, seen, 1)))
        cost = off + _PULL * away
        right = both & (off < reach) & (away < _GAP) & _faces(fits, plane, camera_to_world) & (cost < least)
        found[right], least[right] = depth[right], cost[right]
    return found.astype(np.float32)


def _faces(fits: PlaneFits, plane: Plane, camera_to_world: Float64s) -> NDArray[np.bool_]:
    return np.asarray(fits.normals @ (camera_to_world[:3, :3].T @ plane.normal) > _FACING)


def _away(known: Floats, depth: Float64s) -> Float64s:
    """Return how far (h, w) pixels are, picture widths, from an area where known depth is that of a plane."""
    on_it = (known > 0) & (np.abs(depth - known) < _THICK * known)
    closed = cv2.morphologyEx(on_it.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    area = cv2.erode(closed, np.ones((3, 3)), borderType=cv2.BORDER_REPLICATE)
    if not area.any():
        return np.full(known.shape, np.inf)
    return np.asarray(cv2.distanceTransform(1 - area, cv2.DIST_L2, 5) / known.shape[1])
