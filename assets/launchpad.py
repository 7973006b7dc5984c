"""What the launchpad offers: every setting as a field with its description; it completes them and refuses typos.

Bounds are checked when a run asks for its settings, as they are everywhere else.
"""

import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import dagster as dg
from dagster._config.pythonic_config import config as pythonic_config
from pydantic import BaseModel, Field, create_model

from pipeline.settings import settings_type
from pipeline.stages.profiles import PROFILES

PLAIN = (bool, int, float, str)
NOT_OFFERED = ("profile",)
"""A field of its own, beside the settings."""


def launchpad_type(settings: type[BaseModel], without: tuple[str, ...] = ()) -> type[dg.Config]:
    """Return what Dagster calls a config, of the same shape as settings; no field of it must be given."""
    fields: dict[str, Any] = {
        name: (_offered(known.annotation, f"{settings.__name__}_{name}"), Field(None, description=known.description))
        for name, known in settings.model_fields.items()
        if name not in without
    }
    made: type[dg.Config] = create_model(f"{settings.__name__}Launchpad", __base__=dg.Config, **fields)
    return made


def given(values: Any) -> dict[str, Any]:
    """Return what somebody has filled in, as nested mappings with plain values."""
    found = (
        values.items() if isinstance(values, Mapping) else ((name, getattr(values, name)) for name in _names(values))
    )
    plain = {name: _plain(value) for name, value in found if value is not None}
    return {name: value for name, value in plain.items() if value != {} or not isinstance(values, BaseModel)}


def choice(name: str, values: tuple[str, ...]) -> Any:
    """Return an enumeration whose members are called as their values."""
    made: Any = Enum(name, {value: value for value in values})  # type: ignore[misc]
    return made


def _names(values: BaseModel) -> list[str]:
    return list(type(values).model_fields)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return given(value) if isinstance(value, BaseModel | Mapping) else value


def _offered(annotation: Any, name: str) -> Any:
    """Return what the launchpad takes for a setting; what it has no type for, it takes as it is."""
    choices = [part for part in _parts(annotation) if part is not type(None)]
    if len(choices) != 1:
        return Any
    (kind,) = choices
    if get_origin(kind) is Literal and all(isinstance(value, str) for value in get_args(kind)):
        return choice(name, get_args(kind)) | None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return launchpad_type(kind) | None
    return kind | None if kind in PLAIN else Any


def _parts(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _infer_once() -> None:
    """Let Dagster work out the schema of all settings once, and not for every resource that it makes: 0.1 s each."""
    infer, known = pythonic_config.infer_schema_from_config_class, cache(pythonic_config.infer_schema_from_config_class)

    def inferred(
        model_cls: type[dg.Config],
        description: str | None = None,
        fields_to_omit: set[str] | None = None,
        default: Any = None,
    ) -> Any:
        if model_cls is LaunchpadSettings and not fields_to_omit and not default:
            return known(model_cls, description)
        return infer(model_cls, description, fields_to_omit, default)

    vars(pythonic_config)["infer_schema_from_config_class"] = inferred


if TYPE_CHECKING:
    LaunchpadSettings = dg.Config

    class Profile(Enum):
        """The profiles, by name."""
else:
    Profile = choice("Profile", tuple(PROFILES))
    LaunchpadSettings = launchpad_type(settings_type(), NOT_OFFERED)
    _infer_once()
