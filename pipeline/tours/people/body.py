"""Somebody: head, trunk, arms and legs, which swing as he walks."""

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import Colour, Material, SurfaceKind
from pipeline.tours.palette import BRIGHT, CLOTHS, Rng, material
from pipeline.tours.surfaces import Sheet, Thing, Vector, cushion

TALL = 1.75
"""Height of the figure as it is laid out below, metres."""
HEIGHTS = (1.55, 1.92)
SKIN: tuple[Colour, ...] = ((0.6, 0.4, 0.3), (0.68, 0.5, 0.4), (0.4, 0.25, 0.17), (0.22, 0.13, 0.09))
HAIR: tuple[Colour, ...] = ((0.05, 0.04, 0.03), (0.2, 0.12, 0.06), (0.45, 0.36, 0.2), (0.4, 0.4, 0.4))
HIP, SHOULDER = 0.88, 1.42
"""Heights about which legs and arms swing, metres."""
LEG_SWING, ARM_SWING = 0.42, 0.35
"""Amplitudes, radians."""


@dataclass(frozen=True)
class Limb:
    """Part of a figure. pivot: height about which it swings, metres; swing: radians, at its furthest forward."""

    sheet: Sheet
    material: Material
    pivot: float = 0.0
    swing: float = 0.0


@dataclass(frozen=True)
class Body:
    """Somebody of ``height`` metres who looks along +x and stands on the origin."""

    limbs: tuple[Limb, ...]
    height: float

    @classmethod
    def draw(cls, rng: Rng) -> "Body":
        """Draw how tall somebody is and what he wears."""
        shirt, trousers = (material(rng, "fabric", colours) for colours in (BRIGHT + CLOTHS, CLOTHS))
        skin, hair, shoes = (material(rng, "smooth", colours) for colours in (SKIN, HAIR, HAIR))
        limbs = [
            *_part((0, 0, 1.18), (0.12, 0.2, 0.29), shirt),
            *_part((0, 0, 0.92), (0.12, 0.17, 0.13), trousers),
            *_part((0.01, 0, 1.6), (0.1, 0.08, 0.14), skin),
            *_part((-0.025, 0, 1.66), (0.1, 0.09, 0.09), hair),
            *_part((0, 0, 1.46), (0.05, 0.05, 0.08), skin),
        ]
        for side in (-1, 1):
            leg, arm = (HIP, side * LEG_SWING), (SHOULDER, -side * ARM_SWING)
            limbs += _part((0, 0.09 * side, 0.47), (0.08, 0.08, 0.43), trousers, *leg)
            limbs += _part((0.05, 0.09 * side, 0.045), (0.13, 0.05, 0.045), shoes, *leg)
            limbs += _part((0, 0.245 * side, 1.14), (0.055, 0.055, 0.31), shirt, *arm)
            limbs += _part((0.01, 0.245 * side, 0.79), (0.045, 0.035, 0.07), skin, *arm)
        return cls(tuple(limbs), float(rng.uniform(*HEIGHTS)))

    def thing(self) -> Thing:
        """Return the figure as it stands; it belongs to no class of a room."""
        return Thing(SemanticClass.UNKNOWN, tuple((limb.sheet, limb.material) for limb in self.limbs))

    def posed(self, phase: float, stride: float) -> NDArray[np.float64]:
        """Return its vertices (V, 3) in a step's ``phase``, radians; stride: 0 stands, 1 walks."""
        vertices, pivots, swings = self._joints
        angle = stride * np.sin(phase) * swings
        x, z = vertices[:, 0], vertices[:, 2] - pivots
        cosine, sine = np.cos(angle), np.sin(angle)
        turned = np.stack([cosine * x - sine * z, vertices[:, 1], cosine * z + sine * x], axis=-1)
        turned[:, 2] += pivots
        turned[:, 2] -= turned[:, 2].min()
        return np.asarray(turned * (self.height / TALL))

    @functools.cached_property
    def _joints(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        counts = [limb.sheet.vertices.reshape(-1, 3).shape[0] for limb in self.limbs]
        vertices = np.concatenate([limb.sheet.vertices.reshape(-1, 3) for limb in self.limbs])
        return (
            vertices,
            np.repeat([limb.pivot for limb in self.limbs], counts),
            np.repeat([limb.swing for limb in self.limbs], counts),
        )


def _part(centre: Vector, radii: Vector, worn: Material, pivot: float = 0.0, swing: float = 0.0) -> list[Limb]:
    person = replace(worn, surface=SurfaceKind.PERSON)
    return [Limb(sheet, person, pivot, swing) for sheet in cushion(centre, radii, 0.8, 8)]
