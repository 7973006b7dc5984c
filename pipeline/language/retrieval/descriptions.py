"""What can be said of the things of a rendered tour, and of which of them it is plainly true."""

import colorsys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations, product

import numpy as np

from pipeline.contract.classes import SemanticClass
from pipeline.language.retrieval.benchmark import Kind
from pipeline.tours.house import House
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
WOODEN_SHARE = (0.2, 0.5)
"""Share of a thing's surface up to which it is not wooden, and from which it is."""

NEIGHBOURS = (SemanticClass.WINDOW, SemanticClass.BED, SemanticClass.SOFA, SemanticClass.TABLE, SemanticClass.TVS)
STANDING = (*NEIGHBOURS[1:], SemanticClass.CHAIR, SemanticClass.FURNITURE)
NEXT_TO_M, APART_M = 0.5, 1.0
"""Metres between two things, at most, that stand next to one another; and at least, that plainly do not."""
IN_WALL_M = 0.2
"""How far outside a room's inner faces the middle of its windows may lie."""

COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "brown")
_HUES = ((0.04, "red"), (0.11, "orange"), (0.19, "yellow"), (0.45, "green"), (0.72, "blue"), (0.92, "purple"))
_DOUBT = (0.02, 0.04, 0.06)
"""Hue, saturation and value by which two people's idea of a colour differs."""

Verdict = bool | None
"""Whether something is true of a thing; None where people would not agree."""


@dataclass(frozen=True)
class Description:
    """A text and the instances of a house, of those in a grid, that it is true of; of the others it plainly is not."""

    text: str
    kind: Kind
    label: SemanticClass
    instances: tuple[int, ...]


@dataclass(frozen=True)
class Claim:
    """A text about things of one class, and whether it is true of one of them."""

    text: str
    kind: Kind
    label: SemanticClass
    holds: Callable[[Thing], Verdict]


def describe(house: House, present: Sequence[int]) -> Iterator[Description]:
    """Yield what can be said of the instances in a grid without doubt; what is doubtful of only one is left out."""
    for claim in claims(house, present):
        verdicts = {
            instance: claim.holds(house.things[instance - 1])
            for instance in present
            if house.things[instance - 1].label == claim.label
        }
        meant = tuple(instance for instance, verdict in verdicts.items() if verdict)
        if meant and None not in verdicts.values():
            yield Description(claim.text, claim.kind, claim.label, meant)


def claims(house: House, present: Sequence[int]) -> Iterator[Claim]:
    """Yield everything that is tried: classes, then looks (colour, material, pattern), then places."""
    for label, noun in NOUNS.items():
        yield Claim(f"a {noun}", "class", label, lambda _: True)
    for label, colour in product(COLOURED, COLOURS):
        yield Claim(f"a {colour} {NOUNS[label]}", "look", label, partial(has_colour, colour=colour))
    for label in WOODEN:
        yield Claim(f"a wooden {NOUNS[label]}", "look", label, is_wooden)
    for pattern, noun in PATTERN_NOUNS.items():
        yield Claim(f"a {noun}", "look", SemanticClass.OBJECTS, partial(_has_pattern, pattern=pattern))
    for label, other in permutations(dict.fromkeys((*STANDING, *NEIGHBOURS)), 2):
        if label in STANDING and other in NEIGHBOURS:
            near = partial(is_next_to, other=other, house=house, present=frozenset(present))
            yield Claim(f"a {NOUNS[label]} next to a {NOUNS[other]}", "place", label, near)


def has_colour(thing: Thing, colour: str) -> Verdict:
    """Tell whether a thing's largest surface is cloth of a colour; smaller cloth of that colour makes it doubtful."""
    main = main_material(thing)
    if main.pattern == "fabric" and colour_names(main.colour) == {colour}:
        return True
    cloths = (material for _, material in thing.parts if material.pattern == "fabric")
    return None if any(colour in colour_names(material.colour) for material in cloths) else False


def is_wooden(thing: Thing) -> Verdict:
    """Tell whether most of a thing's surface is wood; some of it makes it doubtful."""
    areas = _areas(thing)
    share = sum(area for material, area in areas.items() if material.pattern == "wood") / sum(areas.values())
    none, most = WOODEN_SHARE
    return None if none < share < most else share >= most


def is_next_to(thing: Thing, other: SemanticClass, house: House, present: frozenset[int]) -> Verdict:
    """Tell whether a thing stands next to one of another class in its room, which must be in the grid to count."""
    rooms = _rooms_of(house, thing)
    gaps = {
        instance: gap(thing, item)
        for instance, item in enumerate(house.things, start=1)
        if item.label == other and rooms & _rooms_of(house, item)
    }
    if any(metres <= NEXT_TO_M and instance in present for instance, metres in gaps.items()):
        return True
    return None if any(metres < APART_M for metres in gaps.values()) else False


def main_material(thing: Thing) -> Material:
    """Return the material with most surface."""
    areas = _areas(thing)
    return max(areas, key=lambda material: areas[material])


def colour_names(colour: Colour) -> set[str]:
    """Return every name that a linear RGB albedo might be given."""
    hsv = colorsys.rgb_to_hsv(*(min(max(part, 0.0), 1.0) ** (1 / 2.2) for part in colour))
    shifts = product(*((-doubt, 0.0, doubt) for doubt in _DOUBT))
    return {_colour_name(*(part + shift for part, shift in zip(hsv, shifted, strict=True))) for shifted in shifts}


def gap(one: Thing, other: Thing) -> float:
    """Return the metres between the bounds of two things, 0 where they touch."""
    (low, high), (other_low, other_high) = one.bounds(), other.bounds()
    return float(np.linalg.norm(np.maximum(np.maximum(low - other_high, other_low - high), 0)))


def _colour_name(hue: float, saturation: float, value: float) -> str:
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.8 else "grey"
    name = next((name for below, name in _HUES if hue % 1 < below), "red")
    return "brown" if name in {"orange", "yellow"} and value < 0.7 else name


def _has_pattern(thing: Thing, pattern: str) -> Verdict:
    return main_material(thing).pattern == pattern


def _areas(thing: Thing) -> dict[Material, float]:
    areas: dict[Material, float] = {}
    for sheet, material in thing.parts:
        areas[material] = areas.get(material, 0.0) + sheet.size[0] * sheet.size[1]
    return areas


def _rooms_of(house: House, thing: Thing) -> set[int]:
    x, y, _ = thing.bounds().mean(axis=0)
    bounds: Iterable[tuple[int, tuple[float, ...]]] = ((room.room_id, room.bounds) for room in house.rooms)
    return {
        room_id
        for room_id, (x0, y0, x1, y1) in bounds
        if x0 - IN_WALL_M <= x <= x1 + IN_WALL_M and y0 - IN_WALL_M <= y <= y1 + IN_WALL_M
    }
