"""How a dataset was made, as the provenance of its videos notes it: settings, weights and code of every stage.

Only settings that mean the same on every machine are part of it: no path, no device, nothing of a cache.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipeline.contract.errors import BrokenManifest, MixedDataset
from pipeline.contract.values import laid_over
from pipeline.dataset.portable import Reach, kinds, portable
from pipeline.settings import Settings
from pipeline.stages.chain import made_by
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from pipeline.store.video import VideoStore


class StageRecipe(BaseModel):
    """How one stage was done: the settings that decide its result, SHA-256 of its weights by file, its code version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any]
    weights: dict[str, str] = {}
    code_version: str


class DatasetRecipe(BaseModel):
    """How every stage was done, by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[2] = 2
    stages: dict[str, StageRecipe]

    def differences(self, other: "DatasetRecipe") -> str:
        """Return in words in what another recipe differs, empty where it does not."""
        return "; ".join(self._differences(other))

    def values(self) -> dict[str, Any]:
        """Return the settings by stage, to be laid over others; ``check_names`` comes first."""
        return {name: portable(stages()[name].settings, stage.settings) for name, stage in self.stages.items()}

    def complete(self) -> dict[str, Any]:
        """Return ``values`` with those of settings that results of that kind say nothing of."""
        return {name: laid_over(stages()[name].settings.unsaid(), values) for name, values in self.values().items()}

    def check_names(self) -> None:
        """Make sure that a recipe from elsewhere names no setting that is unknown or of use on one machine alone.

        One of the latter without a value, as manifests of earlier releases have, says nothing and is left out.

        Raises:
            BrokenManifest: it does, or names stages that are not known here.
        """
        for name, recipe in self.stages.items():
            if name not in stages():
                raise BrokenManifest(f"there is no stage {name!r} here")
            strange = [
                f"{key} ({kind.value})"
                for key, value, kind in kinds(stages()[name].settings, recipe.settings)
                if kind is Reach.UNKNOWN or (kind is Reach.HERE_ALONE and value is not None)
            ]
            _refuse(name, strange)

    def check_decisive(self, settings: Settings) -> None:
        """Make sure that a recipe from elsewhere sets what decides results, all of it and nothing else.

        settings: with the recipe's values laid over others.

        Raises:
            BrokenManifest: as ``check_names``; or it names settings that do not decide, or lacks some that do.
        """
        self.check_names()
        values = self.values()
        for name in self.stages:
            given, decisive = {*_leaves(values[name])}, {*_leaves(_decisive(name, settings))}
            _refuse(name, [f"{key} (decides no result)" for key in sorted(given - decisive)])
            lacking = sorted(decisive - given)
            if lacking:
                raise BrokenManifest(f"of {name!r} the manifest does not say: {', '.join(lacking[:5])}")

    def against(self, settings: Settings) -> list[str]:
        """Return in words, a line each, where the recipe's settings are not those that hold here."""
        lines = []
        for name, given in self.values().items():
            there, here = dict(_values(given)), dict(_values(_decisive(name, settings)))
            lines += [
                f"{name}.{key}: {_short(there, key)} in the manifest, {_short(here, key)} here"
                for key in dict.fromkeys([*there, *here])
                if there.get(key) != here.get(key)
            ]
        return lines

    def _differences(self, other: "DatasetRecipe") -> Iterator[str]:
        for name in dict.fromkeys([*self.stages, *other.stages]):
            here, there = self.stages.get(name), other.stages.get(name)
            if here is None or there is None:
                yield f"{name} was done in one case only"
                continue
            if here.code_version != there.code_version:
                yield f"{name} has code version {there.code_version} instead of {here.code_version}"
            if here.weights != there.weights:
                files = sorted({*here.weights.items()} ^ {*there.weights.items()})
                yield f"{name} used other weights ({', '.join(sorted({file for file, _ in files}))})"
            mine, others = dict(_values(here.settings)), dict(_values(there.settings))
            for key in sorted({*mine, *others}):
                if mine.get(key) != others.get(key):
                    yield f"{name}.{key} is {others.get(key)!r} instead of {mine.get(key)!r}"


def recipe_of(video: VideoStore) -> DatasetRecipe:
    """Return how a video's stored results were made."""
    made = {name: made_by(video, name) for name in stages()}
    return DatasetRecipe(
        stages={
            name: StageRecipe(
                settings=portable(stages()[name].settings, found.settings),
                weights=found.weights,
                code_version=found.code_version,
            )
            for name, found in made.items()
            if found is not None
        }
    )


def one_recipe(store: Store, video_ids: Sequence[str]) -> DatasetRecipe:
    """Return how all of some videos were made.

    Raises:
        MixedDataset: one was made in another way than the first; the message names both and what differs.
    """
    first = recipe_of(store.video(video_ids[0]))
    for video_id in video_ids[1:]:
        difference = first.differences(recipe_of(store.video(video_id)))
        if difference:
            raise MixedDataset(
                f"{video_id} was not made as {video_ids[0]} was: {difference}. Build all videos with the same settings "
                "(what holds: youtube-occ settings --why), or keep them in two data folders"
            )
    return first


def _refuse(stage: str, strange: list[str]) -> None:
    if strange:
        raise BrokenManifest(f"settings of {stage!r} that no manifest may give: {', '.join(strange[:5])}")


def _decisive(stage: str, settings: Settings) -> dict[str, Any]:
    """Return the settings of a stage that decide its result, of those that mean the same on every machine."""
    return portable(stages()[stage].settings, settings.of(stages()[stage]).decisive())


def _short(values: dict[str, Any], key: str) -> str:
    shown = repr(values[key]) if key in values else "nothing"
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _values(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values; lists are values."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _values(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _leaves(settings: dict[str, Any]) -> Iterator[str]:
    return (name for name, _ in _values(settings))
