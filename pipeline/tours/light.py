"""Light baked into the textures: lamps and windows with shadows, and ambient light that fails in corners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.layout import Room, house_bounds
from pipeline.tours.materials import Material
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import Sheet

SAMPLE_SPACING = 0.12
"""Metres between light samples: finer shadows than furniture casts indoors are not needed."""
MOST_SAMPLES = 160
AMBIENT_RAYS = 16
AMBIENT_REACH = 0.9
LIFT = 0.012
"""Metres that samples are lifted off their surface, so that it does not shade itself."""


@dataclass(frozen=True)
class Lamp:
    """A point light: position (3,) metres, colour (3,) in watts of no particular unit, reach in metres."""

    position: tuple[float, float, float]
    colour: tuple[float, float, float]
    reach: float = 9.0


def room_lamps(rooms: tuple[Room, ...]) -> list[Lamp]:
    """Return a lamp below every ceiling and a cool one before every window."""
    lamps = []
    for room in rooms:
        x0, y0, x1, y1 = room.bounds
        strength = 0.3 * (x1 - x0) * (y1 - y0) ** 0.5
        warm = (strength, 0.95 * strength, 0.85 * strength)
        lamps.append(Lamp(((x0 + x1) / 2, (y0 + y1) / 2, room.ceiling_height - 0.62), warm))
        for hole in room.openings:
            if hole.kind == "window":
                middle = room.side_frame(hole.side) @ [
                    (hole.start + hole.end) / 2,
                    0.35,
                    (hole.bottom + hole.top) / 2,
                    1,
                ]
                lamps.append(Lamp((middle[0], middle[1], middle[2]), (0.9, 1.0, 1.15)))
    return lamps


SUN = (0.45, -0.6, 0.66)
SUNLIGHT = 1.0
SKYLIGHT = 0.55


class HouseLight:
    """The light on every surface of a house: lamps inside, sun and sky outside."""

    def __init__(self, rooms: tuple[Room, ...], caster: RayCaster, rng: np.random.Generator) -> None:
        self._lamps = room_lamps(rooms)
        self._bounds = house_bounds(rooms)
        self._caster = caster
        self._rng = rng

    def __call__(self, sheet: Sheet, material: Material) -> NDArray[np.float32]:
        """Return the light (h, w, 3) float32 on a coarse raster of the sheet; 1 shows its albedo."""
        if material.glows:
            return np.ones((2, 2, 3), np.float32)
        x0, y0, x1, y1 = self._bounds
        x, y, _ = sheet.vertices.reshape(-1, 3).mean(axis=0)
        is_lawn = max(sheet.size) > 2 * (x1 - x0)
        if is_lawn or not (x0 - 0.2 < x < x1 + 0.2 and y0 - 0.2 < y < y1 + 0.2):
            return _daylight(sheet, self._caster, self._rng)
        return light_of(sheet, self._lamps, self._caster, self._rng)


def _daylight(sheet: Sheet, caster: RayCaster, rng: np.random.Generator) -> NDArray[np.float32]:
    points, normals = _samples(sheet)
    shape = points.shape[:2]
    points, normals = points.reshape(-1, 3), normals.reshape(-1, 3)
    light = SKYLIGHT * _ambient(points, normals, caster, rng)[:, None] * np.array([0.92, 0.97, 1.05])
    sun = np.broadcast_to(np.array(SUN) * 60, points.shape)
    lit = (normals @ np.array(SUN) > 0) & ~caster.is_blocked(points.astype(np.float32), sun.astype(np.float32))
    light[lit] += SUNLIGHT * (normals[lit] @ np.array(SUN))[:, None] * np.array([1.0, 0.95, 0.85])
    return light.reshape(*shape, 3).astype(np.float32)


def light_of(sheet: Sheet, lamps: list[Lamp], caster: RayCaster, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the light (h, w, 3) float32 that falls on a coarse raster of the sheet; 1 shows its albedo."""
    points, normals = _samples(sheet)
    shape = points.shape[:2]
    points, normals = points.reshape(-1, 3), normals.reshape(-1, 3)
    light = 0.42 * _ambient(points, normals, caster, rng)[:, None] * np.array([1, 0.98, 0.96])
    for lamp in lamps:
        light += _direct(points, normals, lamp, caster)
    return light.reshape(*shape, 3).astype(np.float32)


def _samples(sheet: Sheet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points and unit normals (h, w, 3) at the cell centres of a raster over the sheet."""
    height, width = (min(max(2, round(side / SAMPLE_SPACING)), MOST_SAMPLES) for side in sheet.size)
    rows, columns = sheet.vertices.shape[0] - 1, sheet.vertices.shape[1] - 1
    r, c = ((np.arange(n) + 0.5) / n * cells for n, cells in ((height, rows), (width, columns)))
    i, j = (np.minimum(x.astype(int), n - 1) for x, n in ((r, rows), (c, columns)))
    s, t = (r - i)[:, None, None], (c - j)[None, :, None]
    a, b, d, e = (sheet.vertices[np.ix_(i + k, j + m)] for k, m in ((0, 0), (0, 1), (1, 0), (1, 1)))
    points = (1 - s) * ((1 - t) * a + t * b) + s * ((1 - t) * d + t * e)
    normals = np.cross((1 - s) * (b - a) + s * (e - d), (1 - t) * (d - a) + t * (e - b))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    return points + LIFT * normals, normals


def _ambient(
    points: NDArray[np.float64], normals: NDArray[np.float64], caster: RayCaster, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the share of the sky of directions above each point that is open within reach."""
    directions = normals[:, None] + _unit(rng.standard_normal((len(points), AMBIENT_RAYS, 3)))
    origins = np.broadcast_to(points[:, None], directions.shape)
    hits = caster.cast(origins.reshape(-1, 3).astype(np.float32), _unit(directions).reshape(-1, 3).astype(np.float32))
    nearness = np.clip(1 - hits.distance / AMBIENT_REACH, 0, 1).reshape(len(points), AMBIENT_RAYS)
    return np.asarray(1 - 0.85 * np.sqrt(nearness).mean(axis=1))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _direct(
    points: NDArray[np.float64], normals: NDArray[np.float64], lamp: Lamp, caster: RayCaster
) -> NDArray[np.float64]:
    """Return Lambert's light of one lamp, softened near it, zero in its shadow: (n, 3)."""
    towards = np.array(lamp.position) - points
    distance = np.linalg.norm(towards, axis=1)
    cosine = np.einsum("ij,ij->i", towards, normals) / np.maximum(distance, 1e-6)
    lit = (cosine > 0) & (distance < lamp.reach)
    light = np.zeros((len(points), 3))
    if lit.any():
        lit[lit] = ~caster.is_blocked(points[lit].astype(np.float32), towards[lit].astype(np.float32))
        light[lit] = (cosine[lit] / (distance[lit] ** 2 + 0.8))[:, None] * np.array(lamp.colour)
    return light
