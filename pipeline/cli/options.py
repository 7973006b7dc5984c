"""Options that several commands share, and how a command finds out which settings hold."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipeline.contract.values import parsed
from pipeline.settings import Layer, Resolved, environment, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.entries import SourceList, listed_sources
from pipeline.sources.video_source import VideoSource, names
from pipeline.stages.profiles import PROFILES
from pipeline.store.store import Store, data_url
from pipeline.store.video import VIDEOS
from pipeline.tours.seeds import FROZEN_SEEDS_START

BUILD, LOOK, PUBLISH, SOURCES = "Build", "Look", "Publish", "Sources"
"""Panels of the help."""


def _profiles(incomplete: str) -> list[str]:
    return [name for name in PROFILES if name.startswith(incomplete)]


def completed_stages(incomplete: str) -> list[str]:
    """Return the stages that begin so, for the completion of shells."""
    from pipeline.stages.registry import stages

    return [name for name in stages() if name.startswith(incomplete)]


def _videos(incomplete: str, data: str | None = None) -> list[str]:
    folder = Path(data_url(data)) / VIDEOS
    found = os.scandir(folder) if folder.is_dir() else ()
    return sorted(entry.name for entry in found if entry.name.startswith(incomplete))


def completed_videos(context: typer.Context, incomplete: str) -> list[str]:
    """Return the videos that begin so, of the data folder that the line names, for the completion of shells."""
    return _videos(incomplete, context.params.get("data"))


DataOption = Annotated[
    str | None, typer.Option("--data", help="Data folder or fsspec URL; else YOUTUBE_OCC_DATA, else ./data.")
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        help=f"Set of backends: {', '.join(PROFILES)}; else YOUTUBE_OCC_PROFILE, the sources file's, the dataset's.",
        autocompletion=_profiles,
    ),
]
FileOption = Annotated[
    Path | None, typer.Option("--settings", help="YAML file laid over the profile; else YOUTUBE_OCC_SETTINGS.")
]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="One value, as in --set clips.clip_min_s=2.")]
SourcesOption = Annotated[
    str | None, typer.Option(help="A .yaml file or sources themselves; else SOURCES, else sources.yaml.")
]
ReportingOption = Annotated[
    str | None,
    typer.Option(
        help=f"What figures of frozen tours, seeds from {FROZEN_SEEDS_START} on, are for; each look is logged."
    ),
]
VideoArgument = Annotated[
    str,
    typer.Argument(help="Id of a video, as in <data>/videos/.", autocompletion=completed_videos, show_default=False),
]


def store_at(data: str | None) -> Store:
    """Return the store of a dataset: as given, else of the environment, else ``./data``."""
    return Store(data_url(data))


def flags(profile: str | None = None, file: Path | None = None, values: list[str] | None = None) -> Layer:
    """Return what the command line says of the settings; raises ``SettingsError``."""
    return Layer("the command line", profile, file, parsed(values or []))


def resolved(said: Layer, dataset: Store, listed: SourceList | None = None) -> Resolved:
    """Return the settings that hold for a command.

    Args:
        said: by the command line.
        dataset: the one at hand, whose own settings hold where nobody says otherwise.
        listed: the sources whose videos are worked on; their file may name a profile.

    Raises:
        SettingsError: they cannot be understood.
    """
    named = [Layer(str(listed.file), listed.profile)] if listed is not None else []
    return resolve(said, environment(), *named, dataset=dataset)


def resolved_for_words(said: Layer, dataset: Store) -> Resolved:
    """Return the settings that hold where a dataset is asked in words: its own, unless the command line says otherwise.

    What the environment says is for what is built next; words are compared with what was built.

    Raises:
        SettingsError: they cannot be understood.
    """
    return resolve(said, dataset=dataset)


def sources_naming(source: VideoSource, catalog: Catalog) -> SourceList | None:
    """Return the listed sources if this very video is among them, so that the profile of their file is meant for it.

    Raises:
        SettingsError: the file or an entry of it cannot be understood.
    """
    listed = listed_sources(None, required=False)
    if listed is None:
        return None
    row = catalog.rows([source.video_id]).get(source.video_id)
    led_here = row is not None and row.source.listed_by in {entry.name for entry in listed.entries}
    return listed if led_here or names(listed, source) else None
