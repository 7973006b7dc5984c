"""Houses that are only scored share no builder, pattern or plan with any other: by name, and in what is built."""

import sys
from collections.abc import Callable
from types import FrameType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.tours.furnish import furnish
from pipeline.tours.furniture import ORDINARY, Catalogue
from pipeline.tours.held_out.furniture import HELD_OUT
from pipeline.tours.held_out.patterns import HELD_OUT_PATTERNS, INSTEAD
from pipeline.tours.house import House, build_house
from pipeline.tours.layout import ROOM_ORDER, ROOM_SIDE
from pipeline.tours.materials import PATTERNS
from pipeline.tours.settings import TourSettings
from pipeline.tours.variety import HARD_HOUSES, SCORED_HOUSES, HouseSettings

SEEDS = st.integers(0, 900_000)
ORDINARY_FURNITURE = {f"pipeline.tours.{name}" for name in ("seating", "tables", "storage", "ornaments")}


def house(seed: int, houses: HouseSettings) -> House:
    return build_house(np.random.default_rng(seed), TourSettings(houses=houses))


def patterns(built: House) -> set[str]:
    return {material.pattern for thing in built.things for _, material in thing.parts}


def called_while(build: Callable[[], object]) -> set[str]:
    """Return the modules whose functions were called."""
    modules: set[str] = set()

    def note(frame: FrameType, _event: str, _argument: object) -> None:
        modules.add(str(frame.f_globals.get("__name__")))

    sys.setprofile(note)
    try:
        build()
    finally:
        sys.setprofile(None)
    return modules


def test_builders_and_patterns_are_disjoint_by_name():
    names = [{build.__name__ for build in catalogue.builders} for catalogue in (ORDINARY, HELD_OUT)]
    assert not names[0] & names[1]
    assert not set(PATTERNS) & set(HELD_OUT_PATTERNS)
    assert set(INSTEAD) == set(PATTERNS)
    assert {pattern for pattern, _ in INSTEAD.values()} == set(HELD_OUT_PATTERNS)
    assert set(HELD_OUT.required) == set(HELD_OUT.optional) == set(ROOM_ORDER)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_a_scored_house_has_patterns_and_rooms_of_no_other_house(seed: int):
    scored, other = house(seed, SCORED_HOUSES), house(seed, HARD_HOUSES)
    assert patterns(scored) <= set(HELD_OUT_PATTERNS)
    assert patterns(other) <= set(PATTERNS)
    longest = [[max(room.side_length(0), room.side_length(1)) for room in built.rooms] for built in (scored, other)]
    assert min(longest[0]) > ROOM_SIDE[1] >= max(longest[1])


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.sampled_from([(HELD_OUT, SCORED_HOUSES), (ORDINARY, HARD_HOUSES)]))
def test_no_builder_is_called_for_a_house_of_the_other_kind(seed: int, kind: tuple[Catalogue, HouseSettings]):
    catalogue, houses = kind
    rooms = house(seed, houses).rooms
    modules = called_while(lambda: [furnish(np.random.default_rng(seed), room, catalogue=catalogue) for room in rooms])
    own = {name for name in modules if name.startswith("pipeline.tours.held_out")}
    assert bool(own) == (catalogue is HELD_OUT)
    assert bool(modules & ORDINARY_FURNITURE) == (catalogue is ORDINARY)


def test_scored_houses_hold_all_eleven_classes():
    labels = {thing.label for seed in range(3) for thing in house(seed, SCORED_HOUSES).things}
    assert labels >= set(OCCUPIED_CLASSES)


def test_the_same_seed_builds_the_same_scored_house():
    one, same = house(3, SCORED_HOUSES), house(3, SCORED_HOUSES)
    assert [[material for _, material in thing.parts] for thing in one.things] == [
        [material for _, material in thing.parts] for thing in same.things
    ]


def test_what_is_held_out_is_noted_only_where_it_is():
    assert "held_out" not in HARD_HOUSES.model_dump()
    assert SCORED_HOUSES.model_dump()["held_out"]


def test_galleries_are_not_built_in_scored_houses():
    with pytest.raises(ValidationError, match=r"set houses\.lofts to 0"):
        HouseSettings(held_out=True, lofts=0.2)
