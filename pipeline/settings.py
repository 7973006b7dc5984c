"""All settings: one model a stage, profiles by name, and the one way in which a command finds out which hold.

Every number is described where it is defined; ``youtube-occ settings`` prints them, with ``--why`` also who said so.
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import Values, checked, laid_over, read_settings_file
from pipeline.stages.base import SettingsT, Stage
from pipeline.stages.made_with import made_with
from pipeline.stages.profiles import EVIDENCE, FORMER, PROFILES, RAYS
from pipeline.stages.registry import stages
from pipeline.store.store import Store

PROFILE_VARIABLE = "YOUTUBE_OCC_PROFILE"
FILE_VARIABLE = "YOUTUBE_OCC_SETTINGS"
DEFAULT_PROFILE = "classic"
OWN_PROFILE = "own"
"""Name of the profile of settings that are those of no profile."""

RENAMED = {
    "download": "video",
    "scenes": "clips",
    "indoor": "indoor_clips",
    "reconstruct": "reconstruction",
    "metric": "scene",
    "voxelize": "occupancy",
}
"""Keys of releases before 0.2, which are still read, with a warning."""


class FilterSettings(BaseModel):
    """Bounds of the scores of clips; none: the score is stored and nobody is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    motion_min: float | None = Field(None, ge=0, description="least motion, picture widths a kept frame")
    shake_max: float | None = Field(None, ge=0, description="most change of motion, picture widths a kept frame")
    brightness_min: float | None = Field(None, ge=0, le=1, description="least mean brightness")
    brightness_max: float | None = Field(None, ge=0, le=1, description="most mean brightness")
    clipped_max: float | None = Field(None, ge=0, le=1, description="largest share of black and white pixels")
    drawn_max: float | None = Field(None, ge=0, le=1, description="largest share of flat areas, as of title cards")
    overlay_max: float | None = Field(None, ge=0, le=1, description="largest share of text and logos laid over")
    split_max: float | None = Field(
        None, ge=0, le=1, description="longest straight line that stays, share of the picture; a split screen has 1"
    )
    repeats_max: float | None = Field(
        None, ge=0, le=1, description="largest share of frames that an earlier clip of the video shows"
    )
    people_max: float | None = Field(
        None, ge=0, le=1, description="largest share of pixels that show people and pets, where the labels tell them"
    )
    probability_min: float | None = Field(
        None, ge=0, le=1, description="least probability that the reconstruction is right, where it is known"
    )
    scale_sigma_max: float | None = Field(
        None, gt=0, description="largest standard deviation of the logarithm of scale, where it is known (0.1: 10 %)"
    )


class RaySettings(BaseModel):
    """Workers on a Ray cluster, where ``dataset.engine`` is ``ray``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field("auto", description="head of the cluster, as host:port; auto: RAY_ADDRESS, or this machine")
    workers: int = Field(
        0, ge=0, description="workers, each of which builds a video; 0: as many as machines hold, new ones too"
    )
    cpus: float = Field(4.0, gt=0, description="CPUs that a worker takes")
    gpus: float = Field(0.0, ge=0, description="graphics cards that a worker takes; 0.125: eight workers share one")
    memory_gb: float = Field(8.0, ge=0, description="memory that a worker takes, GiB; 0: nobody counts it")


class DatasetSettings(BaseModel):
    """How videos are gathered into the dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_share: float = Field(
        0.1, ge=0, le=1, description="share of uploaders (else listings, folders, videos) in validation"
    )
    mixed: bool = Field(False, description="take in videos that were made with other settings than today's")
    give_up_after: int = Field(3, ge=1, description="tries after which a video whose network or process fails is left")
    parallel_videos: int = Field(2, ge=1, description="videos worked on at once, by build_dataset and the daemon")
    videos_per_worker: int = Field(
        100, ge=1, description="videos that a process of build_dataset builds before a new one takes its place"
    )
    engine: Literal["local", "ray"] = Field(
        "local", description="who builds videos: processes of this machine, or workers on a Ray cluster"
    )
    ray: RaySettings = Field(RaySettings(), description="the workers of a Ray cluster")
    partitions_max: int = Field(
        50_000,
        ge=0,
        description="videos in the catalog above which Dagster shows blocks of them: a partition and a run a block, "
        "none a video",
    )
    block: int = Field(1000, ge=1, description="videos of a block, by number of registration")
    memory_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="share of this machine's memory that the process of one video may have; beyond it the video is "
        "left out, rather than the machine brought to a stand. Lower it where large videos are built at once (Linux)",
    )
    poll_cron: str = Field("0 * * * *", description="when the sources are looked at again, as cron writes it")
    requests_per_tick: int = Field(
        20, ge=1, description="runs under way beyond which the sensor new_videos requests none"
    )
    weight_mirrors: tuple[str, ...] = Field(
        (), description="addresses below which files of registered weights lie under their names; asked first"
    )
    filters: FilterSettings = Field(FilterSettings(), description="which clips are left out for their scores")
    order: Literal["oldest", "newest"] = Field("oldest", description="which videos are fetched and built first")
    keep_videos: bool = Field(True, description="keep source videos; else each is deleted once its frames are stored")


class Settings(BaseModel):
    """The settings of all stages and of the dataset; frozen, unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = DEFAULT_PROFILE
    dataset: DatasetSettings = DatasetSettings()

    def of(self, stage: Stage[SettingsT, Any]) -> SettingsT:
        """Return the settings of one stage."""
        own: SettingsT = getattr(self, stage.name)
        return own


@dataclass(frozen=True)
class Layer:
    """What one place says of the settings: a profile by name, a YAML file, single values.

    origin: the place in words, as "the command line".
    """

    origin: str
    profile: str | None = None
    file: Path | None = None
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Resolved:
    """The settings that hold, and who said so.

    origins: of every value that somebody chose, by its dotted name or that of what holds it; the others are defaults.
    follows_dataset: nobody named a profile, so that the dataset at hand goes on as it was begun.
    """

    settings: Settings
    origins: Mapping[str, str]
    follows_dataset: bool = False

    def origin(self, name: str) -> str:
        """Return who chose a value, by its dotted name; empty for a default."""
        parts = name.split(".")
        names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((self.origins[name] for name in names if name in self.origins), "")


def resolve(*layers: Layer, dataset: Store | None = None) -> Resolved:
    """Return the settings that hold.

    The profile is the one that the first of the layers names, itself or in its file, else what the videos of
    ``dataset`` were made with, else ``classic``. Over it is laid the first layer's file that there is, and over that
    the single values of all layers, those of the first on top.

    Args:
        layers: those with more to say first: command line, launchpad, environment, sources file.
        dataset: the dataset at hand.

    Raises:
        SettingsError: no such profile or file, unknown key, value out of bounds; the message names it.
    """
    named, of_file = _with_file(layers)
    stored = _stored_base(named, dataset)
    said = [stored or _profile(named), *of_file]
    said += [(layer.values, layer.origin) for layer in reversed(layers) if layer.values]
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for values, origin in said:
        renamed = with_new_names(values, origin)
        merged = laid_over(merged, renamed)
        origins |= {name: origin for name, _ in _leaves(renamed)}
    said_by = ", ".join(origin for _, origin in said)
    return Resolved(checked(settings_type(), merged, f"settings ({said_by})"), origins, stored is not None)


def load_settings(profile: str | None = None, file: Path | None = None, overrides: Values | None = None) -> Settings:
    """Return a profile's settings with a YAML file and then ``overrides`` (nested mappings) laid over them.

    Raises:
        SettingsError: as ``resolve``.
    """
    return resolve(Layer("overrides", profile or DEFAULT_PROFILE, file, overrides or {})).settings


def environment() -> Layer:
    """Return what the environment says."""
    file = os.environ.get(FILE_VARIABLE)
    return Layer("the environment", os.environ.get(PROFILE_VARIABLE) or None, Path(file) if file else None)


@cache
def settings_type() -> type[Settings]:
    """Return ``Settings`` with a field for every stage."""
    fields: dict[str, Any] = {name: (stage.settings, stage.settings()) for name, stage in stages().items()}
    made: type[Settings] = create_model("Settings", __base__=Settings, __module__=__name__, **fields)
    return made


def with_new_names(values: Values, origin: str) -> dict[str, Any]:
    """Return values with keys of earlier releases under their new names, with a warning for each."""
    renamed = {key: value for key, value in values.items() if key not in RENAMED}
    for old in [key for key in values if key in RENAMED]:
        warnings.warn(
            f"{origin}: the settings {old!r} are now called {RENAMED[old]!r}; the old name goes with the next release",
            FutureWarning,
            stacklevel=2,
        )
        renamed = laid_over({RENAMED[old]: values[old]}, renamed)
    return renamed


def described(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield dotted name, value and description of every single setting."""
    for name, known in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from described(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, known.description or ""


def _stored_base(layers: Sequence[Layer], dataset: Store | None) -> tuple[Values, str] | None:
    """Return what the dataset at hand was made with, unless a profile is named or there is none yet."""
    if dataset is None or any(layer.profile is not None for layer in layers):
        return None
    found = made_with(dataset)
    if found is None:
        return None
    video_id, stored = found
    return {"profile": _profile_of(stored), **stored}, f"the dataset, as {video_id} was made"


def _profile(layers: Sequence[Layer]) -> tuple[Values, str]:
    """Return the values of the profile that is named first, or of the default, and who named it."""
    named = next((layer for layer in layers if layer.profile is not None), None)
    profile = str(named.profile) if named is not None and named.profile else DEFAULT_PROFILE
    if profile not in PROFILES:
        message = f"there is no profile {profile!r}; choose one of {', '.join(PROFILES)}"
        raise SettingsError(message)
    said_by = f"by {named.origin}" if named is not None else "by default"
    return {"profile": profile, **PROFILES[profile]}, f"profile {profile}, {said_by}"


def _profile_of(stored: Values) -> str:
    """Return the profile whose backends and weights, now or formerly, are those stored, whatever fills grids."""
    backends = [
        (name, {stage: of_stage for stage, of_stage in values.items() if stage not in {**EVIDENCE, **RAYS}})
        for name, values in [*PROFILES.items(), *FORMER.items()]
    ]
    return next((name for name, values in backends if laid_over(stored, values) == stored), OWN_PROFILE)


def _with_file(layers: Sequence[Layer]) -> tuple[list[Layer], list[tuple[Values, str]]]:
    """Return the layers with the profile that the first file names, and what else it says; nothing where there is none.

    Its layer may name another profile, which is heard instead.
    """
    first = next((layer for layer in layers if layer.file is not None), None)
    if first is None or first.file is None:
        return list(layers), []
    values, origin = read_settings_file(first.file), f"{first.file}, named by {first.origin}"
    named = replace(first, origin=origin, profile=values.pop("profile", None))
    at = layers.index(first) + 1
    return [*layers[:at], replace(named, values={}), *layers[at:]], [(values, origin)]


def _leaves(values: Values, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
