"""A house with its textures painted and its light baked, ready to be looked at from anywhere."""

from dataclasses import dataclass

import numpy as np

from pipeline.contract.arrays import Floats
from pipeline.contract.classes import SemanticClass
from pipeline.tours.atlas import Atlas, bake
from pipeline.tours.layout import Room
from pipeline.tours.light import Lighting, light_patches
from pipeline.tours.mesh import Mesh, build_mesh
from pipeline.tours.painter import paint_sky
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import Thing


@dataclass(frozen=True)
class LitHouse:
    """mesh, its ray caster, its atlas of lit textures, and the sky: clouds (SKY_SIZE, SKY_SIZE) float32."""

    mesh: Mesh
    caster: RayCaster
    atlas: Atlas
    sky: Floats


def light_house(
    things: tuple[Thing, ...],
    rooms: tuple[Room, ...],
    rng: np.random.Generator,
    lighting: Lighting | None = None,
    texel: float = 0.012,
    texel_outside: float = 0.04,
) -> LitHouse:
    """Paint and light ``things``; texels are no finer than ``texel`` metres inside, ``texel_outside`` in the garden."""
    finest = {True: texel_outside, False: texel}
    coarser = tuple(item.painted(finest[item.label == SemanticClass.UNKNOWN]) for item in things)
    mesh = build_mesh(coarser)
    caster = RayCaster(mesh)
    light = light_patches(mesh.patches, rooms, caster, lighting or Lighting())
    return LitHouse(mesh, caster, bake(mesh.patches, light, mesh.atlas_height), paint_sky(rng))
