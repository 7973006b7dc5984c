"""A house with people in it: one mesh for both, and what rays meet at a moment."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.house import House
from pipeline.tours.light import raster
from pipeline.tours.mesh import Mesh, build_mesh
from pipeline.tours.people.walker import Walker
from pipeline.tours.raycast import Hits, RayCaster

REACH = 1.15
"""Metres from the middle of a figure within which all of it lies."""
SHADE_SPACING = 0.1


@dataclass(frozen=True)
class Crowd:
    """The walkers of a tour. mesh: the house's triangles, then those of each walker as he stands on the origin.

    vertices, triangles: how many the house has. ends: (walkers + 1,) where each walker's vertices begin, the last end.
    """

    house: House
    walkers: tuple[Walker, ...]
    mesh: Mesh
    ends: tuple[int, ...]

    @classmethod
    def of(cls, house: House, walkers: tuple[Walker, ...]) -> "Crowd":
        """Put walkers into a house; without any, its mesh is that of the house."""
        things = tuple(walker.figure.thing() for walker in walkers)
        mesh = build_mesh((*house.things, *things)) if walkers else house.mesh
        counts = [sum(sheet.vertices[..., 0].size for sheet, _ in item.parts) for item in things]
        return cls(house, walkers, mesh, tuple(np.cumsum([len(house.mesh.vertices), *counts]).tolist()))

    def caster(self, shot_id: int, seconds: float) -> "CrowdCaster | None":
        """Return what rays meet so many seconds into a shot; None where nobody walks through it."""
        here = [i for i, walker in enumerate(self.walkers) if walker.shot_id == shot_id]
        if not here:
            return None
        vertices, first = self.mesh.vertices.copy(), len(self.house.mesh.triangles)
        for i in here:
            vertices[self.ends[i] : self.ends[i + 1]] = self.walkers[i].vertices(seconds)
        corners = self.mesh.triangles[first:, 0]
        chosen = np.zeros(len(self.mesh.triangles), bool)
        for i in here:
            chosen[first:] |= (corners >= self.ends[i]) & (corners < self.ends[i + 1])
        middles = np.stack([self.walkers[i].spot(seconds) + np.array([0, 0, 0.9]) for i in here])
        moved = RayCaster(replace(self.mesh, vertices=vertices), chosen)
        return CrowdCaster(self.house.caster, moved, np.flatnonzero(chosen), middles)

    def light(self) -> list[NDArray[np.float32]]:
        """Return the light on every patch of the walkers: more from above, whatever the room's lamps."""
        light = []
        for walker in self.walkers:
            for limb in walker.figure.limbs:
                _, normals = raster(limb.sheet, SHADE_SPACING)
                shade = walker.brightness * (0.68 + 0.24 * normals[..., 2:] + 0.08 * normals[..., :1])
                light.append(np.repeat(shade, 3, axis=2).astype(np.float32))
        return light


@dataclass(frozen=True)
class CrowdCaster:
    """Casts rays at a house and at the people in it.

    numbers: (m,) the triangles of the people in the mesh of all. middles: (k, 3) metres, of each figure.
    """

    house: RayCaster
    people: RayCaster
    numbers: NDArray[np.int64]
    middles: NDArray[np.float64]

    def cast(self, origins: NDArray[np.float32], directions: NDArray[np.float32]) -> Hits:
        """Cast rays from ``origins`` along ``directions``, both (n, 3) or one origin (3,), metres."""
        hits = self.house.cast(origins, directions)
        rows = np.flatnonzero(self._come_near(origins, directions))
        if not len(rows):
            return hits
        some = origins if origins.ndim == 1 else origins[rows]
        met = self.people.cast(some, directions[rows])
        nearer = met.found & (met.distance < hits.distance[rows])
        distance, triangle, barycentric = hits.distance.copy(), hits.triangle.copy(), hits.barycentric.copy()
        distance[rows[nearer]] = met.distance[nearer]
        triangle[rows[nearer]] = self.numbers[met.triangle[nearer]]
        barycentric[rows[nearer]] = met.barycentric[nearer]
        return Hits(distance, triangle, barycentric)

    def _come_near(self, origins: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which rays (n,) pass a figure within reach."""
        near = np.zeros(len(directions), bool)
        squared = np.einsum("ij,ij->i", directions, directions)
        for middle in self.middles:
            towards = np.float32(middle) - origins
            along = np.maximum((towards * directions).sum(axis=1) / squared, 0)
            missed = towards - along[:, None] * directions
            near |= np.einsum("ij,ij->i", missed, missed) < REACH**2
        return near
