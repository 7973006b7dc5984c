"""Nested values, as settings files and ``--set`` give them, and models made of them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.config import JsonDict

from pipeline.contract.errors import SettingsError

Values = Mapping[str, Any]
"""Nested mappings by name, as ``{"clips": {"clip_min_s": 2}}``."""

Model = TypeVar("Model", bound=BaseModel)

HERE_ALONE: JsonDict = {"here_alone": True}
"""Mark (``json_schema_extra``) of a setting that says where or how fast on one machine; no manifest carries it."""

NAMED_WEIGHTS: JsonDict = {"named_weights": True}
"""Mark of a setting that names weights, or gives the path of a file; manifests carry names."""

WEIGHTS_PATH: JsonDict = {"weights_path": True}
"""Mark of a setting that is always the path of weights: a file, or a folder of a saved network."""


def laid_over(below: Values, above: Values) -> dict[str, Any]:
    """Return nested mappings merged, ``above`` winning where both have a value."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = laid_over(merged[key], value) if both else value
    return merged


def parsed(assignments: Sequence[str]) -> dict[str, Any]:
    """Turn ``["clips.clip_min_s=2"]`` into nested mappings; values are read as YAML.

    Raises:
        SettingsError: an entry is not of the form name=value, or its value is no YAML.
    """
    nested: dict[str, Any] = {}
    for entry in assignments:
        name, separator, value = entry.partition("=")
        if not (name and separator):
            message = f"--set {entry!r}: write it as stage.name=value"
            raise SettingsError(message)
        nested = laid_over(nested, _at(name.split("."), _value(entry, value)))
    return nested


def with_values(model: type[Model], values: Values) -> Model:
    """Return a model's defaults with nested values laid over them; raises ``SettingsError``."""
    fields = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    defaults = {name: value.model_dump() if isinstance(value, BaseModel) else value for name, value in fields.items()}
    return checked(model, laid_over(defaults, values))


def checked(model: type[Model], values: Values, origin: str = "") -> Model:
    """Return a model of values; raises ``SettingsError`` naming what is wrong, and ``origin`` where that is known."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{origin}: {problems(error)}" if origin else problems(error)) from error


def problems(error: ValidationError) -> str:
    """Return what a model found wrong as one line, without the values that were given."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))


def read_yaml(text: str, origin: str) -> dict[str, Any]:
    """Return the mapping that a YAML text holds.

    Raises:
        SettingsError: it is no YAML, or no mapping.
    """
    content = _parsed(text, f"{origin} is no YAML")
    if not isinstance(content, dict):
        raise SettingsError(f"{origin} must hold a mapping such as 'clips: {{frames_per_second: 3}}'")
    return content


def _at(path: Sequence[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def _value(entry: str, text: str) -> Any:
    return _parsed(text, f"--set {entry!r}: the value is no YAML")


def _parsed(text: str, otherwise: str) -> Any:
    """Return what a YAML text holds; raises ``SettingsError``, also for one nested so deep that nobody wrote it."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"{otherwise}: {' '.join(str(error).split())[:500]}") from error
