"""Which of the videos that a source lists are wanted, and why not."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.sources.rules import FoundVideo, SourceRules

ORIGIN = "https://example.org/v"
BARE = FoundVideo(ORIGIN)
FIRST_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone


def found(**known: Any) -> FoundVideo:
    return FoundVideo(ORIGIN, **known)


def on(day: int, hour: int = 12) -> FoundVideo:
    return found(published=datetime(2024, 5, day, hour, tzinfo=UTC))


def test_without_rules_everything_is_wanted():
    for video in (BARE, on(1), found(title="x", duration_s=1e5, licence="all rights reserved")):
        assert SourceRules().objection(video) is None
        assert SourceRules().objection(video, final=True) is None


@pytest.mark.parametrize(
    ("video", "wanted"), [(on(4, 23), False), (on(5, 0), True), (on(8, 23), True), (on(9, 0), False), (BARE, True)]
)
def test_both_days_of_a_span_belong_to_it(video: FoundVideo, wanted: bool):
    rules = SourceRules(since=date(2024, 5, 5), until=date(2024, 5, 8))
    assert (rules.objection(video) is None) == wanted


@pytest.mark.parametrize(("seconds", "wanted"), [(59.9, False), (60, True), (600, True), (600.1, False), (None, True)])
def test_both_bounds_of_a_length_belong_to_it(seconds: float | None, wanted: bool):
    rules = SourceRules(duration_min_s=60, duration_max_s=600)
    assert (rules.objection(found(duration_s=seconds)) is None) == wanted


@pytest.mark.parametrize(
    ("title", "complaint"),
    [
        ("House TOUR", None),
        ("Kitchen walk-through", None),
        ("My vlog", "matches none of title_include"),
        ("Garden tour", "matches 'garden'"),
        ("", None),
    ],
)
def test_titles_are_searched_whatever_their_case(title: str, complaint: str | None):
    rules = SourceRules(title_include=("tour", "walk.through"), title_exclude=("garden",))
    said = rules.objection(found(title=title))
    assert said is None if complaint is None else complaint in str(said)


@pytest.mark.parametrize(
    ("licence", "is_free"),
    [
        ("Creative Commons Attribution licence (reuse allowed)", True),
        ("CC BY 4.0", True),
        ("cc-by-sa", True),
        ("CC0-1.0", True),
        ("creativecommons.org/licenses/by/4.0", True),
        ("Standard YouTube licence", False),
        ("accbyte", False),
        ("all rights reserved", False),
    ],
)
def test_creative_commons_licences_are_told_from_others(licence: str, is_free: bool):
    rules = SourceRules(creative_commons=True)
    assert (rules.objection(found(licence=licence)) is None) == is_free


def test_a_licence_that_is_not_named_counts_against_a_video_only_once_its_page_is_known():
    rules = SourceRules(creative_commons=True)
    assert rules.objection(BARE) is None
    assert rules.objection(BARE, final=True) == "its licence is 'not named', not a Creative Commons one"


def test_the_first_objection_is_told():
    rules = SourceRules(since=date(2024, 5, 5), title_include=("tour",))
    assert rules.objection(found(title="vlog", published=datetime(2020, 1, 1, tzinfo=UTC))) == (
        "published before 2024-05-05"
    )


@pytest.mark.parametrize(
    "rules",
    [
        {"since": "2024-01-02", "until": "2024-01-01"},
        {"limit": 0},
        {"duration_min_s": -1},
        {"duration_max_s": 0},
        {"height_max": 10},
        {"title_include": ["("]},
        {"title_exclude": ["ok", "[a-"]},
        {"colour": "red"},
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any]):
    with pytest.raises(ValidationError):
        SourceRules.model_validate(rules)


@given(
    st.builds(
        FoundVideo,
        st.just(ORIGIN),
        title=st.text(max_size=10),
        duration_s=st.none() | st.floats(0, 1e6),
        published=st.none() | st.datetimes(FIRST_DAY, timezones=st.just(UTC)),
    ),
    st.floats(0, 1e6),
)
@settings(max_examples=40)
def test_a_rule_more_never_makes_a_video_wanted(video: FoundVideo, shortest: float):
    few = SourceRules(duration_min_s=shortest)
    more = SourceRules(duration_min_s=shortest, title_exclude=("a",), until=date(2020, 1, 1))
    if few.objection(video) is not None:
        assert more.objection(video) is not None
