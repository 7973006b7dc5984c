"""What a house looks like beside its shape: clear panes, bare and dark rooms, glossy floors, patterns that mislead."""

from dataclasses import replace

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.tours.layout import Finish, Room
from pipeline.tours.materials import Material, SurfaceKind
from pipeline.tours.palette import BRIGHT, CLOTHS, WOODS, material
from pipeline.tours.surfaces import Thing
from pipeline.tours.variety import HouseSettings

SWAPPED = ("planks", "wood", "tiles", "fabric", "carpet", "plaster", "wallpaper", "brick", "panels", "curtain")
"""Patterns that tell a class in ordinary tours."""


def finished(rng: np.random.Generator, rooms: tuple[Room, ...], settings: HouseSettings) -> tuple[Room, ...]:
    """Return the rooms with panes and finishes drawn by their shares."""
    return tuple(_finished(rng, room, settings) for room in rooms)


def _finished(rng: np.random.Generator, room: Room, settings: HouseSettings) -> Room:
    bare, dark, glossy, mirror, brightness = rng.random(5)
    low, high = settings.darkness
    finish = Finish(
        bare=bool(bare < settings.bare_rooms),
        glossy=bool(glossy < settings.glossy_floors),
        mirror=bool(mirror < settings.mirrors),
        brightness=float(low + (high - low) * brightness) if dark < settings.dark_rooms else 1.0,
    )
    openings = tuple(
        replace(hole, clear=hole.kind == "window" and bool(rng.random() < settings.clear_windows))
        for hole in room.openings
    )
    return replace(room, finish=finish, openings=openings)


def swapped(rng: np.random.Generator, things: list[Thing], share: float) -> list[Thing]:
    """Return the things of a house, a share of whose indoor materials have the pattern of another kind of thing."""
    if share == 0:
        return things
    return [_swapped(rng, item, share) if item.label != SemanticClass.UNKNOWN else item for item in things]


def _swapped(rng: np.random.Generator, item: Thing, share: float) -> Thing:
    others: dict[Material, Material] = {}
    for _, old in item.parts:
        if old not in others:
            swap = (
                old.pattern in SWAPPED
                and old.surface in {SurfaceKind.PLAIN, SurfaceKind.GLOSSY}
                and rng.random() < share
            )
            others[old] = _other(rng, old) if swap else old
    return Thing(item.label, tuple((sheet, others[old]) for sheet, old in item.parts))


def _other(rng: np.random.Generator, old: Material) -> Material:
    new = material(rng, str(rng.choice([name for name in SWAPPED if name != old.pattern])), WOODS + CLOTHS + BRIGHT)
    return replace(old, pattern=new.pattern, colour=new.colour, accent=new.accent)
