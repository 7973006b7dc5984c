"""Which settings of a stage mean the same on every machine, so that a manifest may carry them."""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.contract.values import HERE_ALONE, NAMED_WEIGHTS

_PATH_OR_ADDRESS = re.compile(r"~|/|\\\\|\.{1,2}[/\\\\]|[A-Za-z]:[/\\\\]|[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Reach(Enum):
    """Where a value of a recipe can be used: anywhere, nowhere as nothing has its name, or on one machine alone."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    HERE_ALONE = "here alone"


def portable(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values without those of use on one machine alone: paths, devices, threads, unregistered weights."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        field = model.model_fields.get(key)
        nested = _nested(field, value)
        if nested is not None:
            kept[key] = portable(nested, value)
        elif field is None or _kind(field, value) is not Reach.HERE_ALONE:
            kept[key] = value
    return kept


def kinds(model: type[BaseModel], values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Reach]]:
    """Yield dotted name, value and kind of every value."""
    for key, value in values.items():
        field = model.model_fields.get(key)
        nested = _nested(field, value)
        if nested is not None:
            yield from kinds(nested, value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value, Reach.UNKNOWN if field is None else _kind(field, value)


def _kind(field: FieldInfo, value: Any) -> Reach:
    marks = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    here_alone = HERE_ALONE.items() <= marks.items() or (Path in _types(field.annotation) and isinstance(value, str))
    if NAMED_WEIGHTS.items() <= marks.items() and isinstance(value, str):
        from models.weights.cache import is_named

        here_alone = not is_named(value)
    if isinstance(value, str) and _PATH_OR_ADDRESS.match(value):
        here_alone = True
    return Reach.HERE_ALONE if here_alone else Reach.KNOWN


def _nested(field: FieldInfo | None, value: Any) -> type[BaseModel] | None:
    """Return the model that reads a value, if it is a mapping and there is one."""
    if field is None or not isinstance(value, Mapping):
        return None
    models = (kind for kind in _types(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel))
    return next(models, None)


def _types(annotation: Any) -> list[Any]:
    """Return what a union joins, or the annotation itself."""
    parts = typing.get_args(annotation)
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return [kind for part in parts for kind in _types(part)] if is_union else [annotation]
