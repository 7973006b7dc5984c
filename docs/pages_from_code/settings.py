"""Pages of settings: every single value with its kind, bounds, default by profile, and what it is."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.settings import DEFAULT_PROFILE, load_settings, settings_type
from pipeline.stages.profiles import PROFILES
from training.data.source import FramesSource
from training.language.lost_names import LostNamesSettings
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings
from training.small.settings import Dust3rTrainingSettings, IndoorTrainingSettings, SanTrainingSettings
from training.studies.experiment_settings import Experiment
from training.studies.label_worth import WorthSettings
from training.studies.pillars import PillarStudy

TRAINING: dict[str, tuple[type[BaseModel], str]] = {
    "pretrain": (DistillSettings, "`youtube-occ train pretrain --set`"),
    "finetune": (FinetuneSettings, "`youtube-occ train finetune --set`"),
    "language": (LanguageSettings, "`youtube-occ train language --set`"),
    "read": (FramesSource, "`--kind`, `--path` and `--read` of every command of `youtube-occ train`"),
    "experiment": (Experiment, "`youtube-occ train experiment --set`"),
    "study": (PillarStudy, "`youtube-occ train study --set`"),
    "label_worth": (WorthSettings, "`youtube-occ train label_worth --set`"),
    "lost_names": (LostNamesSettings, "`youtube-occ train lost_names --set`"),
    "small.indoor": (IndoorTrainingSettings, "`python -m training.small indoor --set`"),
    "small.san": (SanTrainingSettings, "`python -m training.small san --set`"),
    "small.dust3r": (Dust3rTrainingSettings, "`python -m training.small dust3r --set`"),
}
"""Settings of training by the command that takes them, and how it does."""

KINDS = {
    float: "number",
    int: "whole number",
    bool: "`true` or `false`",
    str: "text",
    Path: "path",
    SecretStr: "secret text",
    NoneType: "none",
}
BOUNDS = (
    (annotated_types.Ge, "ge", "at least {}"),
    (annotated_types.Gt, "gt", "above {}"),
    (annotated_types.Le, "le", "at most {}"),
    (annotated_types.Lt, "lt", "below {}"),
)


INDEX = """# Settings

Every number of the pipeline is a setting with a name of several parts: first the stage, or `dataset`. A name that
nobody knows and a value out of bounds are refused before anything runs.
[How settings are chosen](../../../guide/settings.md) is told in the guide; `youtube-occ settings --why` prints what
holds, and who said so.

| profile | sets |
|---|---|
{rows}

`{default}` holds where nobody names another.

```{{toctree}}
:maxdepth: 1

{names}
```
"""


@dataclass(frozen=True)
class Setting:
    """One value that can be set: its dotted name, the field that declares it, and its defaults by profile."""

    name: str
    field: FieldInfo
    defaults: Mapping[str, Any]


@dataclass(frozen=True)
class Group:
    """Settings that stand together: the dotted name of what holds them, what it says of itself, and they."""

    name: str
    about: str
    settings: tuple[Setting, ...]


def pages() -> dict[str, str]:
    """Return a page a stage, one of the dataset, one of training, and the list of them."""
    names = [name for name in settings_type().model_fields if name != "profile"]
    own = {f"settings/{name}.md": _page(f"`{name}`", "", groups_of(name)) for name in names}
    return {"settings/index.md": _index([*names, "training"]), **own, "settings/training.md": _training()}


def groups_of(name: str) -> list[Group]:
    """Return the settings of a stage, or of the dataset, group by group."""
    values: dict[str, BaseModel] = {profile: getattr(load_settings(profile), name) for profile in PROFILES}
    return list(_groups(name, type(values[DEFAULT_PROFILE]), values))


def groups_of_training(command: str) -> list[Group]:
    """Return the settings that a command of training takes, group by group; names begin with the command's."""
    model = TRAINING[command][0]
    return list(_groups(command, model, {"": None}))


def _groups(name: str, model: type[BaseModel], values: Mapping[str, BaseModel | None]) -> Iterator[Group]:
    """Yield the group of a model, then those below it; values: of the model by profile, None where it has none."""
    own, below = [], []
    for key, field in model.model_fields.items():
        inner, dotted = _model(field), f"{name}.{key}"
        defaults = {profile: _value(value, key, field) for profile, value in values.items()}
        if inner is None:
            own.append(Setting(dotted, field, defaults))
        else:
            below.append((dotted, inner, {p: v if isinstance(v, BaseModel) else None for p, v in defaults.items()}))
    yield Group(name, inspect.cleandoc(model.__doc__ or ""), tuple(own))
    for dotted, inner, defaults in below:
        yield from _groups(dotted, inner, defaults)


def _value(model: BaseModel | None, key: str, field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True) if model is None else getattr(model, key)


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model whose fields a field holds; None where it is a value, or may be given as one."""
    kinds = [kind for kind in _alternatives(field.annotation) if kind is not NoneType]
    only = kinds[0] if len(kinds) == 1 else None
    return only if isinstance(only, type) and issubclass(only, BaseModel) else None


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def kind(annotation: Any, bounds: Sequence[Any] = ()) -> str:
    """Return in words what may be given for an annotation within bounds, which speak for all but none."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(arguments[0], arguments[1:])
    if origin is Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, UnionType):
        return " or ".join(kind(choice, () if choice is NoneType else bounds) for choice in arguments)
    if origin is tuple:
        length = "" if arguments[-1] is Ellipsis else f" of {len(arguments)}"
        return f"list{length}, each {kind(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping: " + ", ".join(f"`{name}`" for name in annotation.model_fields)
    return KINDS.get(annotation, str(annotation)) + _bounds(bounds)


def _bounds(metadata: Sequence[Any]) -> str:
    said = [
        words.format(f"`{getattr(bound, key)}`")
        for bound in metadata
        for known, key, words in BOUNDS
        if isinstance(bound, known)
    ]
    return f" {' and '.join(said)}" if said else ""


def _default(setting: Setting) -> str:
    """Return the default in words; of each profile where they differ."""
    shown = {profile: plain(value) for profile, value in setting.defaults.items()}
    if len(set(shown.values())) == 1:
        value = next(iter(shown.values()))
        return f"default {value}" if value else "has to be given"
    return "default " + ", ".join(f"{value} in profile `{profile}`" for profile, value in shown.items())


def plain(value: Any) -> str:
    """Return a default as one would write it in YAML; empty where there is none."""
    if value is PydanticUndefined:
        return ""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, BaseModel | tuple):
        names = [getattr(item, "name", item) for item in value] if isinstance(value, tuple) else value.model_dump()
        return f"`{names}`".replace("'", "")
    return f"`{value}`"


def _page(title: str, above: str, groups: list[Group]) -> str:
    return f"# Settings of {title}\n\n{above}\n" + "\n".join(_section(group, rank) for rank, group in enumerate(groups))


def _section(group: Group, rank: int) -> str:
    heading = f"## `{group.name}`\n\n" if rank else ""
    return f"{heading}{group.about}\n\n" + "\n".join(_entry(setting) for setting in group.settings)


def _entry(setting: Setting) -> str:
    field = setting.field
    what = (field.description or "").rstrip(".").replace("<", "&lt;")
    described = f"{what[:1].upper()}{what[1:]}.\n\n" if what else ""
    limits = f"{kind(field.annotation, field.metadata)}; {_default(setting)}"
    return f":::{{setting}} {setting.name}\n{described}{limits[:1].upper()}{limits[1:]}.\n:::\n"


def _training() -> str:
    parts = [
        "# Settings of training\n\nNames begin here with the command that takes them; on the command line they do not."
    ]
    for command, (_, how) in TRAINING.items():
        first, *others = groups_of_training(command)
        parts.append(f"## {how}\n\n{_section(first, 0)}")
        parts += [_section(group, 1).replace("## ", "### ", 1) for group in others]
    return "\n\n".join(parts)


def _index(names: list[str]) -> str:
    rows = "\n".join(f"| `{name}` | {_chosen(values)} |" for name, values in PROFILES.items())
    return INDEX.format(default=DEFAULT_PROFILE, rows=rows, names="\n".join(names))


def _chosen(values: Mapping[str, Any], prefix: str = "") -> str:
    said = [
        _chosen(value, f"{prefix}{name}.") if isinstance(value, Mapping) else f"{{setting}}`{prefix}{name}` = `{value}`"
        for name, value in values.items()
    ]
    return ", ".join(said)
