"""Nested values: merged, read from assignments and files, and checked against models."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import checked, laid_over, parsed, problems, read_yaml, with_values

NAMES = st.text("abcdef", min_size=1, max_size=3)
LEAVES = st.one_of(st.integers(), st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=2))
NESTED = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3), lambda inner: st.dictionaries(NAMES, inner | LEAVES, max_size=3)
)


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(0.5, ge=0, le=1)
    names: tuple[str, ...] = ("a", "b")


class Outer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    inner: Inner = Inner()
    count: int = 3
    key: SecretStr = SecretStr("")


class Needs(BaseModel):
    folder: str
    depth: int = 1


def test_the_upper_layer_wins_and_what_it_does_not_name_stays():
    below = {"clips": {"frames_max": 24, "trim_s": 0.1}, "profile": "classic"}
    merged = laid_over(below, {"clips": {"frames_max": 9}, "seed": 1})
    assert merged == {"clips": {"frames_max": 9, "trim_s": 0.1}, "profile": "classic", "seed": 1}
    assert below["clips"] == {"frames_max": 24, "trim_s": 0.1}, "what was given stays as it was"


def test_lists_are_replaced_and_not_joined():
    assert laid_over({"seeds": [1, 2, 3]}, {"seeds": [9]}) == {"seeds": [9]}


def test_a_value_takes_the_place_of_a_mapping_and_the_other_way_round():
    assert laid_over({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert laid_over({"a": 1}, {"a": {"b": 1}}) == {"a": {"b": 1}}


@given(NESTED, NESTED)
@settings(max_examples=50)
def test_laying_a_layer_over_twice_changes_nothing_and_over_nothing_gives_itself(below: dict, above: dict):
    once = laid_over(below, above)
    assert laid_over(once, above) == once
    assert laid_over({}, above) == above
    assert laid_over(below, {}) == below


@given(NESTED, NESTED, NESTED)
@settings(max_examples=50)
def test_three_layers_may_be_merged_from_either_end(first: dict, second: dict, third: dict):
    # Only where all three agree on what is a mapping: a value in between hides what lies below it.
    assume(not (_disagree(first, second) or _disagree(second, third) or _disagree(first, third)))
    assert laid_over(laid_over(first, second), third) == laid_over(first, laid_over(second, third))


def _disagree(one: dict, other: dict) -> bool:
    shared = one.keys() & other.keys()
    kinds = [(isinstance(one[key], dict), isinstance(other[key], dict)) for key in shared]
    return any(a != b for a, b in kinds) or any(
        _disagree(one[key], other[key]) for key in shared if isinstance(one[key], dict) and isinstance(other[key], dict)
    )


def test_assignments_nest_by_their_dots_and_the_last_of_a_name_holds():
    assert parsed(["a.b.c=1", "a.b.d=x", "a.e=[1, 2]", "a.b.c=2"]) == {"a": {"b": {"c": 2, "d": "x"}, "e": [1, 2]}}
    assert parsed([]) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("0.5", 0.5),
        ("true", True),
        ("", None),
        ("null", None),
        ("a=b", "a=b"),
        ("'1'", "1"),
        ("{x: 1}", {"x": 1}),
    ],
)
def test_values_of_assignments_are_yaml(text: str, value: object):
    assert parsed([f"a.b={text}"]) == {"a": {"b": value}}


@pytest.mark.parametrize("entry", ["clips", "=3", "", "clips.frames_max"])
def test_an_assignment_without_name_or_sign_says_how_to_write_one(entry: str):
    with pytest.raises(SettingsError, match=r"write it as stage\.name=value"):
        parsed([entry])


def test_a_name_deeper_than_any_setting_is_refused():
    with pytest.raises(SettingsError, match="no setting lies 2000 deep"):
        parsed(["a." * 1999 + "a=1"])


@pytest.mark.parametrize("entry", ["a=[", "a={x: ]", "a=!!python/object/apply:os.getcwd []"])
def test_a_value_that_is_no_yaml_is_refused_on_one_line_and_never_executed(entry: str):
    with pytest.raises(SettingsError, match="no YAML") as refused:
        parsed([entry])
    assert "\n" not in str(refused.value)


@given(st.dictionaries(NAMES, st.integers() | st.text("xyz", min_size=1, max_size=4), max_size=4))
@settings(max_examples=30)
def test_what_is_written_as_assignments_is_read_back(values: dict[str, object]):
    assert parsed([f"stage.{name}={json.dumps(value)}" for name, value in values.items()]).get("stage", {}) == values


def test_values_lie_over_the_defaults_of_a_model():
    made = with_values(Outer, {"inner": {"share": 0.25}})
    assert (made.inner.share, made.inner.names, made.count) == (0.25, ("a", "b"), 3)
    assert with_values(Outer, {}) == Outer()


def test_fields_without_a_default_have_to_be_given():
    assert with_values(Needs, {"folder": "x"}) == Needs(folder="x", depth=1)
    with pytest.raises(SettingsError, match="folder: Field required"):
        with_values(Needs, {"depth": 2})


def test_everything_that_is_wrong_is_named_at_once_with_where_it_came_from():
    with pytest.raises(SettingsError) as refused:
        checked(Outer, {"inner": {"share": 2, "nmaes": []}, "count": "many"}, "mine.yaml")
    message = str(refused.value)
    assert message.startswith("mine.yaml: ")
    assert all(place in message for place in ("inner.share: ", "inner.nmaes: ", "count: "))
    assert "\n" not in message


def test_without_an_origin_the_message_begins_with_the_name():
    with pytest.raises(SettingsError, match=r"^count: "):
        checked(Outer, {"count": None})


def test_values_that_were_given_are_not_repeated_since_they_may_be_secrets():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"key": {"token": "very-secret"}, "count": "very-secret"})
    assert "very-secret" not in problems(caught.value)
    assert problems(caught.value).count("; ") == 1


def test_a_mapping_is_read_from_yaml():
    assert read_yaml("clips: {frames_max: 9}\n", "mine.yaml") == {"clips": {"frames_max": 9}}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30)
)
"""Two kilobytes that stand for 10 to the thirtieth values."""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must hold a mapping"),
        ("- a\n- b\n", "must hold a mapping"),
        ("just words", "must hold a mapping"),
        ("a: [", "is no YAML"),
        ("a: 1\na: {", "is no YAML"),
        ("!!python/object/apply:os.getcwd []", "is no YAML"),
        ("\x00", "is no YAML"),
        ("a: 2026-13-45", "is no YAML"),
        ("a: !!bool x", "is no YAML"),
        ("a: !!int ''", "is no YAML"),
        ("a: " + "9" * 5000, "is no YAML"),
        ("[" * 5000, "is no YAML"),
        ("a: " + "[" * 100 + "]" * 100, "is no YAML: it is nested too deep"),
        ('a: "\\ud800"', "is no YAML: it holds half of a character"),
        ("&a {a: *a}", "is no YAML: it holds itself"),
        ("a: [&b [1, 2], {<<: [*b]}]", "is no YAML"),
        (BOMB, "is no YAML: its aliases stand for more than"),
    ],
)
def test_what_holds_no_mapping_is_refused_by_the_name_of_its_file(text: str, complaint: str):
    with pytest.raises(SettingsError, match=rf"mine\.yaml {complaint}") as refused:
        read_yaml(text, "mine.yaml")
    assert "\n" not in str(refused.value)
