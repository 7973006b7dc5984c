import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.language.retrieval.descriptions import (
    NOUNS,
    claims,
    colour_names,
    describe,
    gap,
    has_colour,
    is_next_to,
    is_wooden,
    main_material,
)
from pipeline.tours.house import House
from pipeline.tours.layout import Room
from pipeline.tours.materials import Colour, Material
from pipeline.tours.surfaces import Thing, box, thing
from pipeline.tours.tour import Tour


def test_what_is_said_of_things_is_true_of_those_and_of_no_others(tour: Tour):
    house = tour.house
    present = [i for i, thing in enumerate(house.things, start=1) if thing.label != SemanticClass.UNKNOWN]
    said = list(describe(house, present))
    assert {item.kind for item in said} == {"class", "look", "place"}
    assert len({item.text for item in said}) == len(said) > 10
    for item in said:
        kin = {i for i in present if house.things[i - 1].label == item.label}
        meant = [house.things[i - 1] for i in item.instances]
        assert set(item.instances) <= kin
        if item.kind == "class":
            assert set(item.instances) == kin
        elif item.kind == "place":
            noun = item.text.rpartition(" next to a ")[2]
            others = [thing for thing in house.things if NOUNS.get(thing.label) == noun]
            assert all(min(gap(thing, other) for other in others) <= 0.5 for thing in meant)
        elif " wooden " in item.text:
            assert {main_material(thing).pattern for thing in meant} == {"wood"}


def test_a_thing_near_what_the_grid_does_not_hold_is_not_spoken_of_as_near_it(tour: Tour):
    house = tour.house
    present = [i for i, thing in enumerate(house.things, start=1) if thing.label != SemanticClass.UNKNOWN]
    place = next(item for item in describe(house, present) if item.kind == "place")
    noun = place.text.rpartition(" next to a ")[2]
    without = [i for i in present if NOUNS.get(house.things[i - 1].label) != noun]
    assert place.text not in {item.text for item in describe(house, without)}


@pytest.mark.parametrize(
    ("albedo", "names"),
    [
        ((0.01, 0.01, 0.01), {"black"}),
        ((0.85, 0.83, 0.8), {"white"}),
        ((0.2, 0.2, 0.2), {"grey"}),
        ((0.4, 0.05, 0.04), {"red"}),
        ((0.05, 0.1, 0.4), {"blue"}),
        ((0.05, 0.3, 0.08), {"green"}),
        ((0.2, 0.1, 0.05), {"brown"}),
        ((0.6, 0.58, 0.55), {"white", "grey"}),
        ((0.5, 0.38, 0.2), {"orange", "yellow", "brown"}),
    ],
)
def test_colours_have_the_names_that_people_might_give_them(albedo: tuple[float, float, float], names: set[str]):
    assert colour_names(albedo) == names


def test_small_cloth_of_a_colour_makes_it_doubtful(tour: Tour):
    beds = [thing for thing in tour.house.things if thing.label == SemanticClass.BED]
    for bed in beds:
        cloths = {
            name for _, material in bed.parts if material.pattern == "fabric" for name in colour_names(material.colour)
        }
        assert all(has_colour(bed, name) is not False for name in cloths)
    assert beds
    assert has_colour(beds[0], "a colour that nothing has") is False


def cube(x: float, label: SemanticClass, *patterns: tuple[str, Colour]) -> Thing:
    """Cubes of one metre on one another, a pattern each, from ``x`` on in a room of 4 x 3 m."""
    groups = (
        (box((x, 1, i), (x + 1, 2, i + 1)), Material(pattern, colour)) for i, (pattern, colour) in enumerate(patterns)
    )
    return thing(label, *groups)


WOOD, RED, GREY = ("wood", (0.4, 0.2, 0.1)), ("fabric", (0.4, 0.05, 0.04)), ("smooth", (0.5, 0.5, 0.5))
ROOM = Room(0, "living", (0.0, 0.0, 4.0, 3.0), 2.5)


@pytest.mark.parametrize(
    ("patterns", "wooden"),
    [((WOOD,), True), ((WOOD, GREY), True), ((WOOD, GREY, GREY), None), ((WOOD, *[GREY] * 5), False), ((GREY,), False)],
)
def test_a_thing_is_wooden_where_half_of_it_is_and_not_where_next_to_nothing_is(
    patterns: tuple[tuple[str, Colour], ...], wooden: bool | None
):
    assert is_wooden(cube(0, SemanticClass.TABLE, *patterns)) is wooden


def test_the_main_material_is_that_of_most_surface():
    table = cube(0, SemanticClass.TABLE, GREY, WOOD, WOOD)
    assert main_material(table).pattern == "wood"


def test_colour_is_that_of_the_cloth_and_doubtful_where_only_some_has_it():
    red, part = cube(0, SemanticClass.SOFA, RED), cube(0, SemanticClass.SOFA, RED, WOOD, WOOD)
    assert (has_colour(red, "red"), has_colour(red, "blue")) == (True, False)
    assert (has_colour(part, "red"), has_colour(part, "brown")) == (None, False)


@pytest.mark.parametrize(
    ("apart", "near"), [(0.0, True), (0.4, True), (0.5, True), (0.7, None), (1.1, False), (1.9, False)]
)
def test_next_to_is_within_half_a_metre_and_doubtful_up_to_a_metre(apart: float, near: bool | None):
    bed, sofa = cube(0, SemanticClass.BED, RED), cube(1 + apart, SemanticClass.SOFA, RED)
    house = House((ROOM,), (bed, sofa))
    assert gap(bed, sofa) == gap(sofa, bed) == pytest.approx(apart)
    assert is_next_to(bed, SemanticClass.SOFA, house, frozenset({1, 2})) is near


def test_next_to_ends_at_the_wall_and_at_what_the_grid_holds():
    bed, sofa = cube(3, SemanticClass.BED, RED), cube(4.2, SemanticClass.SOFA, RED)
    other_room = Room(1, "bedroom", (4.1, 0.0, 8.0, 3.0), 2.5)
    assert is_next_to(bed, SemanticClass.SOFA, House((ROOM, other_room), (bed, sofa)), frozenset({1, 2})) is False
    one_room = Room(0, "living", (0.0, 0.0, 8.0, 3.0), 2.5)
    assert is_next_to(bed, SemanticClass.SOFA, House((one_room,), (bed, sofa)), frozenset({1, 2})) is True
    assert is_next_to(bed, SemanticClass.SOFA, House((one_room,), (bed, sofa)), frozenset({1})) is None


def test_what_is_doubtful_of_one_thing_is_said_of_none():
    plain, doubtful = cube(0, SemanticClass.SOFA, RED), cube(2, SemanticClass.SOFA, RED, WOOD, WOOD)
    said = {item.text: item.instances for item in describe(House((ROOM,), (plain, doubtful)), [1, 2])}
    assert said["a sofa"] == (1, 2)
    assert "a red sofa" not in said
    alone = {item.text: item.instances for item in describe(House((ROOM,), (plain, doubtful)), [1])}
    assert alone["a red sofa"] == (1,)


def test_every_claim_is_made_once():
    texts = [claim.text for claim in claims(House((ROOM,), ()), [])]
    assert len(set(texts)) == len(texts) > 50
