import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import SettingsError
from pipeline.contract.tour_origin import LARGEST_SEED
from pipeline.tours.seeds import (
    DEFAULT_SEEDS,
    FROZEN_SEEDS_START,
    HELD_OUT_SEEDS,
    ROOM_SEEDS,
    SCORED_SEEDS_START,
    TUNING_SEEDS,
    is_frozen,
    seed_list,
    seed_text,
)
from tests.paths import ROOT

MAY_NAME_THEM = {"pipeline/tours/seeds.py", "tests/pipeline/tours/test_seeds.py"}
"""Where the numbers of frozen tours may stand in code."""
MAY_COUNT_FROM_THEM = {*MAY_NAME_THEM, "pipeline/cli/options.py", "tests/frozen.py"}
"""Where the name of the first may stand: the help, and what gives tests of the guard a tour to ask for."""
CLOSE = 1_500_000
"""Whole numbers below this that may be seeds of frozen tours are taken for them; larger ones are sizes and dates."""
CODE = (".py", ".yaml", ".yml", ".toml", ".sh", ".ipynb", "Makefile")
NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?![\w.])")
OF_A_TOUR = re.compile(r"(?:tour://|tour-|--seeds[ =]['\"]?)([\d,-]+)")
OF_A_COMMAND = re.compile(r"(?:tour://|--seeds )[\d,-]+")


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8))
def test_a_list_of_seeds_reads_as_itself(seeds: list[int]):
    assert seed_list(",".join(map(str, seeds))) == seeds


@settings(max_examples=40)
@given(st.sets(st.integers(0, 30), max_size=20))
def test_seeds_written_down_read_as_the_same_in_order(seeds: set[int]):
    assert seed_list(seed_text(seeds) or "1-0") == sorted(seeds)


def test_runs_of_seeds_are_written_as_their_ends():
    assert seed_text([9, 3, 5, 6, 7, 6]) == "3,5-7,9"


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("1000001-1000003", [1000001, 1000002, 1000003]),
        ("3,5-7,9", [3, 5, 6, 7, 9]),
        ("4-4", [4]),
        (" 3 , 5 ", [3, 5]),
        ("7-5", []),
    ],
)
def test_ranges_count_both_their_ends(text: str, seeds: list[int]):
    assert seed_list(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1-", "1.5", "one-three"])
def test_anything_else_is_refused_with_an_example(text: str):
    with pytest.raises(SettingsError, match="write them as 1000001-1000010 or 3,5,8"):
        seed_list(text)


def test_seeds_that_a_training_is_watched_on_are_not_those_it_is_scored_on():
    assert max(HELD_OUT_SEEDS) < SCORED_SEEDS_START <= min(TUNING_SEEDS)


def test_frozen_seeds_are_those_that_nothing_was_tuned_trained_or_scored_on():
    assert FROZEN_SEEDS_START == 1_100_001
    assert [is_frozen(seed) for seed in (0, 1_100_000, 1_100_001, 2**32 - 1)] == [False, False, True, True]
    spent = [TUNING_SEEDS, HELD_OUT_SEEDS, *ROOM_SEEDS.values()]
    assert not any(is_frozen(seed) for seeds in spent for seed in (seeds[0], seeds[-1]))
    assert [is_frozen(seed) for seed in (1_499_999, 1_500_000, 1_699_999, 1_700_000)] == [True, False, False, True]
    sides = [set(side) for side in ROOM_SEEDS.values()]
    assert len(set().union(*sides)) == sum(map(len, sides)), "no house is on two sides"


def test_what_is_scored_by_default_is_a_few_tuning_seeds():
    assert set(seed_list(DEFAULT_SEEDS)) < set(TUNING_SEEDS)
    assert len(seed_list(DEFAULT_SEEDS)) <= 3


def code() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file that runs: code, tests, settings, workflows."""
    folders = ("pipeline", "assets", "models", "training", "tests", "examples", "docs", ".github")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*found, *ROOT.iterdir()]:
        if path.name.endswith(CODE) and path.is_file():
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def frozen_numbers(text: str) -> list[int]:
    """Return the frozen seeds that a text names: tours by any number, and whole numbers close to the first of them."""
    tours = [int(number) for number in re.findall(r"\d+", " ".join(OF_A_TOUR.findall(text)))]
    close = [number for number in (int(found.replace("_", "")) for found in NUMBER.findall(text)) if number < CLOSE]
    return sorted({seed for seed in [*tours, *close] if is_frozen(seed) and seed <= LARGEST_SEED})


def test_no_code_names_a_frozen_seed_but_through_the_guard():
    named = {path: frozen_numbers(text) for path, text in code() if path not in MAY_NAME_THEM}
    assert {path: seeds for path, seeds in named.items() if seeds} == {}
    counting = {path for path, text in code() if "FROZEN_SEEDS_START" in text}
    assert counting == MAY_COUNT_FROM_THEM


def test_frozen_seeds_are_found_however_they_are_written():
    assert frozen_numbers("a 1_100_001 b 1100002, (1200000) 1e6 1100003.5 x1100004 tour://20000000") == [
        *(1_100_001, 1_100_002, 1_200_000, 20_000_000),
    ]
    assert frozen_numbers("score --seeds 5,1100007-1100008") == [1_100_007, 1_100_008]
    assert frozen_numbers("tour-1000001 1_500_000 1048576 16777216 20261127") == []


def test_no_command_of_the_documents_looks_at_frozen_seeds_without_a_purpose():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("*.md")]
    lines = [(page.name, line) for page in pages for line in page.read_text().splitlines()]
    looks = [(page, line) for page, line in lines if any(map(frozen_numbers, OF_A_COMMAND.findall(line)))]
    assert [look for look in looks if "--reporting" not in look[1]] == []
