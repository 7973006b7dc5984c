"""Nested values, as settings files and ``--set`` give them, and models made of them."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.config import JsonDict

from pipeline.contract.errors import SettingsError

Values = Mapping[str, Any]
"""Nested mappings by name, as ``{"clips": {"clip_min_s": 2}}``."""

Model = TypeVar("Model", bound=BaseModel)

MOST_NODES, DEEPEST = 100_000, 60
"""Values of a YAML file, and how deep they may lie; the largest that ships has three hundred, four deep."""

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
        path = name.split(".")
        if len(path) > DEEPEST:
            raise SettingsError(f"--set {entry[:80]!r}...: no setting lies {len(path)} deep")
        nested = laid_over(nested, _at(path, _value(entry, value)))
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
        said = problems(error, model)
        raise SettingsError(f"{origin}: {said}" if origin else said) from error


def problems(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Return what a model found wrong as one line, without the values; an unknown name with those that are like it."""
    return "; ".join(
        _problem(found["loc"], found["type"], found["msg"], model) for found in error.errors(include_input=False)
    )


def _problem(place: tuple[int | str, ...], kind: str, message: str, model: type[BaseModel] | None) -> str:
    name = ".".join(map(str, place))
    if kind != "extra_forbidden":
        return f"{name}: {message}"
    return f"{name}: there is no such setting{like(str(place[-1]), _names_beside(place, model))}"


def _names_beside(place: tuple[int | str, ...], model: Any) -> list[str]:
    """Return the names that a model knows where one that it does not know was given."""
    for part in place[:-1]:
        field = model.model_fields.get(str(part)) if _is_model(model) else None
        model = next((kind for kind in _kinds(field.annotation) if _is_model(kind)), None) if field else None
    return list(model.model_fields) if _is_model(model) else []


def _kinds(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def like(name: str, known: Iterable[str]) -> str:
    """Return a question that names what may be meant, as ", did you mean clip_min_s?"; nothing where none is alike."""
    found = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f", did you mean {' or '.join(found)}?" if found else ""


def read_yaml(text: str, origin: str) -> dict[str, Any]:
    """Return the mapping that a YAML text holds.

    Raises:
        SettingsError: it is no YAML, or no mapping.
    """
    content = _parsed(text, f"{origin} is no YAML")
    if not isinstance(content, dict):
        raise SettingsError(f"{origin} must hold a mapping such as 'clips: {{frames_per_second: 3}}'")
    return content


def read_settings_file(file: Path) -> dict[str, Any]:
    """Return the mapping that a file of settings holds.

    Raises:
        SettingsError: it cannot be read, is no YAML, or no mapping.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the settings file {file}: {error}") from error
    return read_yaml(text, str(file))


def _at(path: Sequence[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def _value(entry: str, text: str) -> Any:
    return _parsed(text, f"--set {entry!r}: the value is no YAML (quotes make a text of anything)")


def _parsed(text: str, otherwise: str) -> Any:
    """Return what a YAML text holds; raises ``SettingsError``."""
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{otherwise}: {yaml_problem(error)}") from error


def yaml_problem(error: yaml.YAMLError) -> str:
    """Return what is wrong with a YAML text in one line, without the picture of it that PyYAML draws."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())[:500]
    said = ", ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    return f"{said} (line {mark.line + 1}, character {mark.column + 1})" if mark else said


def load_yaml(text: str) -> Any:
    """Return what a YAML text holds.

    Raises:
        yaml.YAMLError: it is no YAML, or none that somebody wrote by hand: nested too deep, holding itself, or standing
            for more than ``MOST_NODES`` values once its aliases are followed.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, DEEPEST) > MOST_NODES:
            raise yaml.YAMLError(f"its aliases stand for more than {MOST_NODES} values")
        return loader.construct_document(node)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise yaml.YAMLError(f"a value cannot be read: {error or type(error).__name__}") from error
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deep") from error
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int | None], deeper: int) -> int:
    """Return how many values a node stands for; ``known``: sizes by node, None of those that are being counted."""
    if deeper == 0:
        raise yaml.YAMLError("it is nested too deep")
    if isinstance(node, yaml.ScalarNode) and not _is_text(node.value):
        raise yaml.YAMLError("it holds half of a character (a lone surrogate)")
    if id(node) not in known:
        known[id(node)] = None
        held = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = (part for entry in held for part in (entry if isinstance(entry, tuple) else (entry,)))
        known[id(node)] = 1 + sum(_size(part, known, deeper - 1) for part in parts)
    size = known[id(node)]
    if size is None:
        raise yaml.YAMLError("it holds itself")
    return size


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
