"""All stages, in the order in which they run: those that come with the project, and those of other packages.

A package adds a stage by the entry point ``youtube_occ.stages``, which leads to its declaration.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pipeline.contract.errors import SettingsError
from pipeline.stages.base import Stage

BUILT_IN = ("video", "clips", "indoor_clips", "reconstruction", "scene", "semantics", "occupancy")
"""Stages that come with the project: ``pipeline/stages/<name>/stage.py`` declares ``<name>``."""

ENTRY_POINTS = "youtube_occ.stages"

AnyStage = Stage[Any, Any]


@cache
def stages() -> dict[str, AnyStage]:
    """Return all stages by name; each comes after those it reads.

    Raises:
        SettingsError: a stage of another package reads one that nobody declares, or has a name that is taken.
    """
    found = {name: _built_in(name) for name in BUILT_IN}
    waiting = [point.load() for point in entry_points(group=ENTRY_POINTS)]
    while waiting:
        ready = [stage for stage in waiting if set(stage.inputs) <= set(found)]
        if not ready:
            missing = {name for stage in waiting for name in stage.inputs} - set(found)
            raise SettingsError(f"stages read what nobody declares: {', '.join(sorted(missing))}")
        for stage in ready:
            if stage.name in found:
                raise SettingsError(f"two stages are called {stage.name!r}")
            found[stage.name] = stage
        waiting = [stage for stage in waiting if stage not in ready]
    return found


def latest_inputs(name: str) -> tuple[str, ...]:
    """Return those inputs of a stage on which no other input of it builds: their fingerprints cover the rest."""
    inputs = stages()[name].inputs
    covered = {earlier for given in inputs for earlier in _before(given)}
    return tuple(given for given in inputs if given not in covered)


def check_stage(name: str | None) -> None:
    """Raise ``SettingsError`` where a stage is named and there is none of that name."""
    if name is not None and name not in stages():
        raise SettingsError(f"there is no stage {name!r}; choose one of {', '.join(stages())}")


def stages_until(name: str | None) -> list[AnyStage]:
    """Return the stages up to one, in their order; all of them where none is named."""
    names = list(stages())
    return [stages()[known] for known in names[: names.index(name) + 1 if name else None]]


def last_stages() -> tuple[str, ...]:
    """Return the stages that no other one reads: with them a video is finished."""
    read = {given for stage in stages().values() for given in stage.inputs}
    return tuple(name for name in stages() if name not in read)


def _built_in(name: str) -> AnyStage:
    declared: AnyStage = getattr(import_module(f"pipeline.stages.{name}.stage"), name)
    return declared


def _before(name: str) -> set[str]:
    inputs = stages()[name].inputs
    return {earlier for given in inputs for earlier in (given, *_before(given))}
