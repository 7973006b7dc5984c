"""What can be said of the things of a rendered tour: class, colour, and what stands next to them."""

import colorsys
from collections.abc import Sequence

import numpy as np

from pipeline.classes import SemanticClass
from pipeline.tours.materials import Colour, Material
from pipeline.tours.surfaces import Thing

NOUNS: dict[SemanticClass, str] = {
    SemanticClass.CEILING: "ceiling",
    SemanticClass.FLOOR: "floor",
    SemanticClass.WALL: "wall",
    SemanticClass.WINDOW: "window",
    SemanticClass.CHAIR: "chair",
    SemanticClass.BED: "bed",
    SemanticClass.SOFA: "sofa",
    SemanticClass.TABLE: "table",
    SemanticClass.TVS: "television",
    SemanticClass.FURNITURE: "piece of furniture",
}
"""What a class is called; objects are of too many kinds for one word."""

PATTERN_NOUNS = {"books": "row of books", "leaves": "plant"}
"""What objects are called whose largest surface has a pattern that only they have."""

COLOURED = (SemanticClass.CHAIR, SemanticClass.SOFA)
"""Classes that have one colour where their largest surface is of cloth."""

WOODEN = (SemanticClass.CHAIR, SemanticClass.TABLE)

NEIGHBOURS = (SemanticClass.WINDOW, SemanticClass.BED, SemanticClass.SOFA, SemanticClass.TABLE, SemanticClass.TVS)
STANDING = (*NEIGHBOURS[1:], SemanticClass.CHAIR, SemanticClass.FURNITURE)
NEXT_TO_M = 0.5
"""Metres between two things, at most, that stand next to one another."""

_HUES = ((0.04, "red"), (0.11, "orange"), (0.19, "yellow"), (0.45, "green"), (0.72, "blue"), (0.92, "purple"))


def describe(thing: Thing, others: Sequence[Thing]) -> list[str]:
    """Return all texts that are true of a thing among others, the plainest first; none where it has no name."""
    noun = noun_of(thing)
    if noun is None:
        return []
    texts = [f"a {noun}"]
    material = main_material(thing)
    if thing.label in COLOURED and material.pattern == "fabric":
        texts.append(f"a {colour_name(material.colour)} {noun}")
    if thing.label in WOODEN and material.pattern == "wood":
        texts.append(f"a wooden {noun}")
    if thing.label in STANDING:
        near = (noun_of(o) for o in others if o is not thing and o.label in NEIGHBOURS and gap(thing, o) <= NEXT_TO_M)
        texts += [f"a {noun} next to a {other}" for other in dict.fromkeys(near) if other and other != noun]
    return texts


def noun_of(thing: Thing) -> str | None:
    """Return what a thing is called, or None where there is no plain word for it."""
    if thing.label == SemanticClass.OBJECTS:
        return PATTERN_NOUNS.get(main_material(thing).pattern)
    return NOUNS.get(thing.label)


def main_material(thing: Thing) -> Material:
    """Return the material with most surface."""
    areas: dict[Material, float] = {}
    for sheet, material in thing.parts:
        areas[material] = areas.get(material, 0.0) + sheet.size[0] * sheet.size[1]
    return max(areas, key=lambda material: areas[material])


def colour_name(colour: Colour) -> str:
    """Return the plain English name of a linear RGB albedo."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(min(max(part, 0.0), 1.0) ** (1 / 2.2) for part in colour))
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.8 else "grey"
    name = next((name for below, name in _HUES if hue < below), "red")
    return "brown" if name in {"orange", "yellow"} and value < 0.7 else name


def gap(one: Thing, other: Thing) -> float:
    """Return the metres between the bounds of two things, 0 where they touch."""
    (low, high), (other_low, other_high) = one.bounds(), other.bounds()
    return float(np.linalg.norm(np.maximum(np.maximum(low - other_high, other_low - high), 0)))
