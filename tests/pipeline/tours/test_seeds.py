import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import SettingsError
from pipeline.tours.seeds import EVALUATION_SEEDS_START, HELD_OUT_SEEDS, seed_list


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8))
def test_a_list_of_seeds_reads_as_itself(seeds: list[int]):
    assert seed_list(",".join(map(str, seeds))) == seeds


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


def test_seeds_that_a_training_is_watched_on_are_not_those_it_is_reported_on():
    assert max(HELD_OUT_SEEDS) < EVALUATION_SEEDS_START
