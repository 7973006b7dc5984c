"""The entries of a sources file.

An entry is a string or a mapping. The mapping's first key says what is listed: ``channel``, ``playlist``, ``search``,
``video``, ``feed``, ``list``, ``folder``, or ``source`` for whatever a string may be; the other keys are rules.
"""

import os
import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import load_yaml, yaml_problem
from pipeline.sources.rules import SourceRules

DEFAULT_SOURCES = "sources.yaml"
SOURCES_VARIABLE = "SOURCES"
YOUTUBE_ADDRESS = re.compile(r"(?i)(?:(?:www|m|music)\.)?(?:youtube\.com|youtu\.be)/\S")


class SourceKind(StrEnum):
    """What an entry names. ``SOURCE`` is one video or a folder of them, recognised by its form."""

    SOURCE = "source"
    CHANNEL = "channel"
    PLAYLIST = "playlist"
    SEARCH = "search"
    VIDEO = "video"
    FEED = "feed"
    LIST = "list"
    FOLDER = "folder"


ASKED = (SourceKind.CHANNEL, SourceKind.PLAYLIST, SourceKind.FEED)
"""Kinds that are addresses always."""


def _as_mapping(entry: object) -> object:
    if isinstance(entry, str):
        return {"kind": SourceKind.SOURCE, "source": entry}
    if not isinstance(entry, dict):
        return entry
    named = [kind for kind in SourceKind if kind in entry]
    if len(named) != 1:
        kinds = ", ".join(SourceKind)
        message = f"an entry names one of {kinds}; this one names {', '.join(named) or 'none of them'}"
        raise ValueError(message)
    rest = {key: value for key, value in entry.items() if key != named[0]}
    source = entry[named[0]]
    if named[0] in ASKED and isinstance(source, str):
        source = with_scheme(source.strip())
    return {**rest, "kind": named[0], "source": source}


def _refuse_odd_characters(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("a source is one line of printable characters")
    return text.strip()


def with_scheme(text: str) -> str:
    """Return the URL of an address of YouTube's that is written without ``https://``; anything else as it is."""
    return f"https://{text}" if YOUTUBE_ADDRESS.match(text) else text


class SourceEntry(SourceRules):
    """One entry of a sources file: where to look, and which of the videos found there are wanted."""

    kind: SourceKind = SourceKind.SOURCE
    source: Annotated[str, AfterValidator(_refuse_odd_characters)]

    @property
    def name(self) -> str:
        """Return the entry in one line, as the catalog names it."""
        return self.source if self.kind is SourceKind.SOURCE else f"{self.kind} {self.source}"

    def rules_json(self) -> str:
        """Return the rules that matter when a video is fetched, as JSON; empty where there are none."""
        rules = self.model_dump(mode="json", exclude={"kind", "source", "limit"}, exclude_defaults=True)
        return SourceRules.model_validate(rules).model_dump_json(exclude_defaults=True) if rules else ""


class SourceFile(BaseModel):
    """The content of ``sources.yaml``; ``profile`` is the one that suits these sources, where no other is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str | None = None
    sources: tuple[Annotated[SourceEntry, BeforeValidator(_as_mapping)], ...]


class SourceList(BaseModel):
    """Entries with the folder that relative paths in them start from, their file and the profile that it names."""

    model_config = ConfigDict(frozen=True)

    entries: tuple[SourceEntry, ...]
    folder: Path
    file: Path | None = None
    profile: str | None = None


def sources_text(given: str | None) -> str:
    """Return what names the sources: as given, else ``SOURCES``, else ``sources.yaml``."""
    return given or os.environ.get(SOURCES_VARIABLE) or DEFAULT_SOURCES


def listed_sources(given: str | None, *, required: bool = True) -> SourceList | None:
    """Return the sources as they are listed now; not required, None where nobody named any and there is no file.

    Raises:
        SettingsError: as ``read_entries``.
    """
    text = sources_text(given)
    missing = text == DEFAULT_SOURCES and not Path(text).exists()
    return None if missing and not required else read_entries(text)


def read_entries(text: str) -> SourceList:
    """Return the entries of a sources file, or of a list of sources.

    Args:
        text: path of a ``.yaml`` file with ``sources: [...]``, or sources separated by blanks (quoted where
            they hold blanks themselves). Paths in a file are relative to that file's folder.

    Raises:
        SettingsError: the file or an entry cannot be understood, or there is none.
    """
    path = Path(text.strip())
    is_file = path.suffix in (".yaml", ".yml")
    content = _read_yaml(path) if is_file else {"sources": _split(text)}
    try:
        listed = SourceFile.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise SettingsError(f"{text!r} is no list of sources: {problems}") from error
    if not listed.sources:
        raise SettingsError(f"{text!r} names no video")
    folder, file = (path.parent, path) if is_file else (Path(), None)
    return SourceList(entries=listed.sources, folder=folder, file=file, profile=listed.profile)


def _read_yaml(path: Path) -> Any:
    try:
        return load_yaml(path.read_text(encoding="utf-8-sig"))
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is no list of sources: {yaml_problem(error)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no list of sources: {error}") from error


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no list of sources: {error}") from error
