"""What the weights hold that a stage's settings name by a path: no name stands for it, so it enters fingerprints.

A registered or shipped name stands for one content, which the weights' cache and this repository's tests hold to.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.contract.errors import WeightsReplaced
from pipeline.contract.values import NAMED_WEIGHTS, WEIGHTS_PATH
from pipeline.stages.backends import BackendSettings
from pipeline.stages.base import StageSettings

_NUMBER = re.compile(r" \(\d+\)$")

WeightFiles = Mapping[str, Mapping[str, str]]
"""SHA-256 by name of file, by dotted name of the setting."""


def weight_files(settings: StageSettings) -> dict[str, dict[str, str]]:
    """Return what lies where settings name weights by a path: those of the chosen backend, and what is known of them.

    Of weights that are away at the moment, what they were counts; of those that were never seen, nothing is returned.
    """
    found = {setting: _contents(path) for setting, path in _paths(settings)}
    return {setting: files for setting, files in found.items() if files}


def check_unchanged(settings: StageSettings, before: WeightFiles) -> None:
    """Make sure that what settings name by a path is what it was.

    Raises:
        WeightsReplaced: it is not.
    """
    now = weight_files(settings)
    changed = sorted(setting for setting in {*before, *now} if before.get(setting) != now.get(setting))
    if changed:
        raise WeightsReplaced(f"the weights that {', '.join(changed)} names were replaced meanwhile: run it again")


def check_noted(noted: Mapping[str, str], before: WeightFiles) -> None:
    """Make sure that a stage worked with the files that its fingerprint was computed of.

    noted: SHA-256 by name of file, as the stage's result has it.

    Raises:
        WeightsReplaced: it did not.
    """
    known: dict[str, set[str]] = {}  # files of two settings may have one name
    for name, sha256 in (item for files in before.values() for item in files.items()):
        known.setdefault(name, set()).add(sha256)
    changed = sorted(name for name, sha256 in noted.items() if sha256 not in known.get(_bare(name), {sha256}))
    if changed:
        raise WeightsReplaced(f"{', '.join(changed)} was replaced while the stage worked with it: run it again")


def _bare(noted: str) -> str:
    """Return the name of a file without the number that tells it from another one of that name."""
    return _NUMBER.sub("", noted)


def weight_names(settings: StageSettings) -> list[str]:
    """Return what settings name weights by, of the chosen backend, that is no path."""
    marked = (value for _, marks, value in chosen_settings(settings) if NAMED_WEIGHTS.items() <= marks.items())
    return [value for value in marked if _named(value)]


def chosen_settings(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any], Any]]:
    """Yield dotted name, marks and value of every setting but those of backends that are not chosen."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        marks = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if isinstance(settings, BackendSettings) and name in settings.backends and name != settings.backend:
            continue
        if isinstance(value, BaseModel):
            yield from chosen_settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", marks, value


def _paths(settings: BaseModel) -> Iterator[tuple[str, Path]]:
    return ((name, Path(value)) for name, marks, value in chosen_settings(settings) if _is_path(marks, value))


def _is_path(marks: Mapping[str, Any], value: object) -> bool:
    if WEIGHTS_PATH.items() <= marks.items():
        return value is not None
    return NAMED_WEIGHTS.items() <= marks.items() and isinstance(value, str) and not _named(value)


def _named(value: object) -> bool:
    from models.weights.cache import is_named  # loads what downloads

    return isinstance(value, str) and is_named(value)


def _contents(path: Path) -> dict[str, str]:
    from models.weights.contents import contents

    return contents(path)
