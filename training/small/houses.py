"""Houses that vary more than those of the sample tours: stretched, rearranged, recoloured and relit."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.dressing import finished
from pipeline.tours.fittings import ceiling_lamp, pictures
from pipeline.tours.forms.draw import formed
from pipeline.tours.furnish import furnish, place
from pipeline.tours.furniture import OPTIONAL, REQUIRED
from pipeline.tours.garden import build_garden
from pipeline.tours.house import House, resized
from pipeline.tours.layout import plan_rooms
from pipeline.tours.light import Lighting
from pipeline.tours.materials import Colour, Material
from pipeline.tours.raycast import RayCaster
from pipeline.tours.settings import TourSettings
from pipeline.tours.shell import build_shell
from pipeline.tours.sizes import USUAL, draw_sizes
from pipeline.tours.surfaces import Thing
from pipeline.tours.views import LitHouse, light_house
from training.small.settings import VarietySettings

TELLING = frozenset({"view", "screen", "books", "painting", "grass", "leaves"})
"""Patterns that say what a thing is, and are never swapped for others."""
ORDINARY = ("plaster", "wallpaper", "smooth", "wood", "planks", "fabric", "tiles", "panels", "brick", "carpet")
BUILDERS = tuple(dict.fromkeys(build for kind in REQUIRED.values() for group in kind for build in group)) + tuple(
    dict.fromkeys(build for kind in OPTIONAL.values() for build in kind)
)


@dataclass(frozen=True)
class VariedHouse:
    """A lit house, the same house before it was stretched, and the factors (3,) float64 along x, y and z."""

    lit: LitHouse
    plan: House
    stretch: NDArray[np.float64]


def varied_house(rng: np.random.Generator, variety: VarietySettings, texel: float, *, garden: bool) -> VariedHouse:
    """Build, furnish, recolour, light and stretch one house; without its garden where only rooms are filmed."""
    house = _build(rng, variety, garden=garden)
    things = tuple(_recoloured(rng, thing, variety) for thing in house.things)
    lit = light_house(things, house.rooms, rng, _lighting(rng, variety), texel)
    limit = np.log([variety.stretch_floor, variety.stretch_floor, variety.stretch_height])
    stretch = np.exp(rng.uniform(-limit, limit))
    return VariedHouse(stretched(lit, stretch), House(house.rooms, things), stretch)


def stretched(house: LitHouse, factors: NDArray[np.float64]) -> LitHouse:
    """Return a house with all its coordinates multiplied by ``factors`` (3,); its light stays."""
    mesh = replace(
        house.mesh,
        vertices=(house.mesh.vertices * factors).astype(np.float32),
        texel_size=(house.mesh.texel_size * factors.mean()).astype(np.float32),
    )
    return replace(house, mesh=mesh, caster=RayCaster(mesh))


def _build(rng: np.random.Generator, variety: VarietySettings, *, garden: bool) -> House:
    # beside the stream of ``rng``, so that houses without these are what they were
    heights, finishes, forms = rng.spawn(3)
    chosen = variety.houses
    sizes = draw_sizes(heights, chosen.odd_heights) if chosen.heights else USUAL
    rooms = resized(heights, plan_rooms(rng, TourSettings(ceiling_min=2.3, ceiling_max=3.2)), sizes)
    rooms = formed(forms, finished(finishes, rooms, chosen), chosen)
    things: list[Thing] = []
    for room in rooms:
        furnished = furnish(rng, room, sizes.under(room.ceiling_height) if sizes.storey else sizes)
        for index in rng.integers(len(BUILDERS), size=int(rng.integers(variety.extra_furniture + 1))):
            place(rng, furnished, BUILDERS[int(index)](rng), tries=15)
        hung = [] if room.finish.bare else pictures(rng, room, furnished.along_walls)
        fittings = [ceiling_lamp(rng, room), *hung]
        kept = [thing for thing in (*furnished.things, *fittings) if not _left_out(rng, thing, variety)]
        things += build_shell(rng, room) + kept
    return House(rooms, tuple(things + (build_garden(rng, rooms) if garden else [])))


def _left_out(rng: np.random.Generator, thing: Thing, variety: VarietySettings) -> bool:
    return thing.label == SemanticClass.OBJECTS and bool(rng.random() < variety.leave_out)


def _recoloured(rng: np.random.Generator, thing: Thing, variety: VarietySettings) -> Thing:
    """Return the thing with other colours and patterns, each of its materials changed as a whole."""
    if rng.random() >= variety.recolour or thing.label == SemanticClass.UNKNOWN:
        return thing
    changed: dict[Material, Material] = {}
    for _, material in thing.parts:
        if material not in changed:
            changed[material] = _other_material(rng, material, variety)
    return Thing(thing.label, tuple((sheet, changed[material]) for sheet, material in thing.parts))


def _other_material(rng: np.random.Generator, material: Material, variety: VarietySettings) -> Material:
    if material.pattern in TELLING or material.glows:
        return material
    swapped = rng.random() < variety.swap_pattern
    pattern = str(rng.choice(ORDINARY)) if swapped else material.pattern
    return replace(material, pattern=pattern, colour=_any_colour(rng), accent=_any_colour(rng))


def _any_colour(rng: np.random.Generator) -> Colour:
    """Draw a linear albedo: any brightness, mostly faint colours."""
    grey = rng.uniform(0.08, 0.85)
    red, green, blue = np.clip(grey * (1 + rng.beta(1, 3) * rng.uniform(-1, 1, 3)), 0.03, 0.9).tolist()
    return red, green, blue


def _lighting(rng: np.random.Generator, variety: VarietySettings) -> Lighting:
    limit = np.log(variety.light)

    def factor() -> Colour:
        red, green, blue = np.exp(rng.uniform(-limit, limit)) * (1 + rng.uniform(-variety.tint, variety.tint, 3))
        return float(red), float(green), float(blue)

    ambient = factor()
    return Lighting(
        ambient=(0.42 * ambient[0], 0.41 * ambient[1], 0.4 * ambient[2]),
        lamps=factor(),
        windows=factor(),
        spacing=0.4,
        rays=6,
    )
