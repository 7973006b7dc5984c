"""Light baked into the textures: lamps and windows inside, sun and sky outside, with shadows and darker corners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.layout import INNER_WALL, Room
from pipeline.tours.materials import Colour
from pipeline.tours.mesh import Patch
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import Sheet

Points = NDArray[np.float64]

MOST_SAMPLES = 120
"""Samples along the side of a sheet, however large it is."""
AMBIENT_REACH = 0.9
INSET = 0.004
"""Share of a sheet's side between its edge and the first samples: neighbouring sheets get the same light at a seam."""
LIFT = 0.012
"""Metres that samples are lifted off their surface, so that it does not shade itself."""
CHUNK = 50_000
"""Samples whose ambient rays are cast at once: bounds memory to about 50 MB."""
OUTDOOR_AMBIENT = (0.5, 0.53, 0.58)
SUN = np.array((0.45, -0.6, 0.66))
SUNLIGHT = (1.0, 0.95, 0.85)
SHADOW_REACH = 60.0


@dataclass(frozen=True)
class Lamp:
    """A point light: ``position`` and ``reach`` in metres, ``colour`` its light on a white wall a metre away."""

    position: tuple[float, float, float]
    colour: Colour
    reach: float = 7.0


@dataclass(frozen=True)
class Lighting:
    """How bright a house is lit, and how finely the light is sampled.

    ambient: indirect light indoors, RGB. lamps, windows: factors on their light, RGB.
    spacing: metres between light samples; finer shadows than furniture casts indoors are not needed.
    rays: directions in which each sample looks for what is close.
    """

    ambient: tuple[float, float, float] = (0.42, 0.41, 0.40)
    lamps: tuple[float, float, float] = (1.0, 1.0, 1.0)
    windows: tuple[float, float, float] = (1.0, 1.0, 1.0)
    spacing: float = 0.15
    rays: int = 16


def light_patches(
    patches: tuple[Patch, ...], rooms: tuple[Room, ...], caster: RayCaster, lighting: Lighting | None = None
) -> list[NDArray[np.float32]]:
    """Return for every patch the light (h, w, 3) float32 on a coarse raster over it; 1 shows the patch's albedo."""
    chosen = lighting or Lighting()
    rasters = [raster(patch.sheet, chosen.spacing) for patch in patches]
    points, normals = (np.concatenate([pair[k].reshape(-1, 3) for pair in rasters]) for k in (0, 1))
    shapes = [pair[0].shape for pair in rasters]
    counts = [shape[0] * shape[1] for shape in shapes]
    outside = np.repeat([patch.label == SemanticClass.UNKNOWN for patch in patches], counts)
    glows = np.repeat([patch.material.glows for patch in patches], counts)

    ambient = np.where(outside[:, None], OUTDOOR_AMBIENT, chosen.ambient)
    light = ambient * _ambient(points, normals, caster, chosen.rays)[:, None]
    light[outside] += _sunlight(points[outside], normals[outside], caster)
    for lamp in _lamps(rooms, chosen):
        light[~outside] += _lamplight(points[~outside], normals[~outside], lamp, caster)
    if any(room.finish.brightness != 1 for room in rooms):
        light[~outside] *= _brightness(points[~outside], rooms)[:, None]
    light[glows] = 1
    pieces = np.split(light.astype(np.float32), np.cumsum(counts)[:-1])
    return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]


def raster(sheet: Sheet, spacing: float, most: int = MOST_SAMPLES) -> tuple[Points, Points]:
    """Return points and unit normals (h, w, 3) of a raster over the sheet that reaches to just inside its edges."""
    height, width = (int(np.clip(round(side / spacing), 2, most)) for side in sheet.size)
    rows, columns = sheet.vertices.shape[0] - 1, sheet.vertices.shape[1] - 1
    r, c = (np.linspace(INSET, 1 - INSET, n) * cells for n, cells in ((height, rows), (width, columns)))
    i, j = r.astype(int), c.astype(int)
    s, t = (r - i)[:, None, None], (c - j)[None, :, None]
    a, b, d, e = (sheet.vertices[np.ix_(i + k, j + m)] for k, m in ((0, 0), (0, 1), (1, 0), (1, 1)))
    points = (1 - s) * ((1 - t) * a + t * b) + s * ((1 - t) * d + t * e)
    normals = _unit(np.cross((1 - s) * (b - a) + s * (e - d), (1 - t) * (d - a) + t * (e - b)))
    return points + LIFT * normals, normals


def _unit(vectors: Points) -> Points:
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-9)[..., None])


def _ambient(points: Points, normals: Points, caster: RayCaster, rays: int) -> NDArray[np.float64]:
    """Return the share of directions above each point that is open within reach, (n,)."""
    scattered = _even_directions(rays)
    pieces = []
    for start in range(0, len(points), CHUNK):
        rows = slice(start, start + CHUNK)
        directions = _unit(normals[rows, None] + scattered).reshape(-1, 3)
        origins = np.repeat(points[rows], rays, axis=0)
        hits = caster.cast(origins.astype(np.float32), directions.astype(np.float32))
        nearness = np.clip(1 - hits.distance / AMBIENT_REACH, 0, 1).reshape(-1, rays)
        pieces.append(1 - 0.85 * np.sqrt(nearness).mean(axis=1))
    return np.concatenate(pieces)


def _even_directions(count: int) -> Points:
    """Return unit vectors (count, 3) spread evenly over the sphere (a Fibonacci spiral)."""
    z = 1 - (2 * np.arange(count) + 1) / count
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    return np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=-1)


def _sunlight(points: Points, normals: Points, caster: RayCaster) -> Points:
    towards = np.broadcast_to(SUN * SHADOW_REACH, points.shape)
    free = ~caster.is_blocked(points.astype(np.float32), towards.astype(np.float32))
    return np.asarray((np.maximum(normals @ SUN, 0) * free)[:, None] * np.array(SUNLIGHT))


def _lamps(rooms: tuple[Room, ...], lighting: Lighting) -> list[Lamp]:
    """Return a lamp below every ceiling and a cool one before every window."""
    lamps = []
    for room in rooms:
        x0, y0, x1, y1 = room.bounds
        strength = 0.55 * float(np.sqrt((x1 - x0) * (y1 - y0)))
        warm = _times((strength, 0.95 * strength, 0.85 * strength), lighting.lamps)
        lamps.append(Lamp(((x0 + x1) / 2, (y0 + y1) / 2, room.ceiling_height - 0.62), warm))
        lamps += [Lamp(spot, _times((0.9, 0.86, 0.77), lighting.lamps)) for spot in room.form.lamps(room)]
        for hole in room.openings:
            if hole.kind == "window":
                x, y, z, _ = room.side_frame(hole.side) @ [
                    (hole.start + hole.end) / 2,
                    0.35,
                    (hole.bottom + hole.top) / 2,
                    1,
                ]
                lamps.append(Lamp((x, y, z), _times((0.9, 1.0, 1.15), lighting.windows)))
    return lamps


def _brightness(points: Points, rooms: tuple[Room, ...]) -> NDArray[np.float64]:
    """Return the share of the light that the room about each point (n, 3) gets, (n,)."""
    share = np.ones(len(points))
    for room in rooms:
        low, high = np.array(room.bounds[:2]) - INNER_WALL / 2, np.array(room.bounds[2:]) + INNER_WALL / 2
        inside = ((points[:, :2] > low) & (points[:, :2] < high)).all(axis=1)
        share[inside] = np.minimum(share[inside], room.finish.brightness)
    return share


def _times(colour: Colour, factor: Colour) -> Colour:
    return colour[0] * factor[0], colour[1] * factor[1], colour[2] * factor[2]


def _lamplight(points: Points, normals: Points, lamp: Lamp, caster: RayCaster) -> Points:
    """Return Lambert's light of one lamp, softened near it, zero in its shadow: (n, 3)."""
    towards = np.array(lamp.position) - points
    squared = np.einsum("ij,ij->i", towards, towards)
    cosine = np.einsum("ij,ij->i", towards, normals) / np.sqrt(np.maximum(squared, 1e-6))
    lit = np.flatnonzero((cosine > 0) & (squared < lamp.reach**2))
    lit = lit[~caster.is_blocked(points[lit].astype(np.float32), towards[lit].astype(np.float32))]
    light = np.zeros((len(points), 3))
    light[lit] = (cosine[lit] / (squared[lit] + 0.8))[:, None] * np.array(lamp.colour)
    return light
