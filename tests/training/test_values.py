"""Single values over defaults, and errors that name what is wrong."""

import pytest
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import checked, with_values
from training.settings import FinetuneSettings


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(3, ge=1)
    colour: str = "red"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    inner: Inner = Inner(size=5)


def test_a_nested_value_leaves_its_neighbours_at_the_defaults_of_the_outer_model():
    assert with_values(Outer, {"name": "x", "inner": {"colour": "blue"}}).inner == Inner(size=5, colour="blue")


def test_what_has_no_default_must_be_given():
    with pytest.raises(SettingsError, match="name: Field required"):
        with_values(Outer, {})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"name": "x", "inner": {"size": 0}}, r"inner\.size: "),
        ({"name": "x", "inner": {"weight": 1}}, r"inner\.weight: there is no such setting"),
        ({"name": "x", "inner": 7}, "inner: "),
        ({"name": ["x"]}, "name: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(values: dict, complaint: str):
    with pytest.raises(SettingsError, match=complaint):
        with_values(Outer, values)


def test_every_mistake_is_named_at_once():
    with pytest.raises(SettingsError, match=r"label_share.*; .*loop\.epochs"):
        checked(FinetuneSettings, {"label_share": 2, "loop": {"epochs": 0}})


def test_nothing_given_is_the_model_itself():
    assert with_values(FinetuneSettings, {}) == FinetuneSettings()
