"""Where a stage's result lies, how it is written whole or not at all, and what it says of how it was made.

A stage fills a draft; when the block that gave the draft ends, the result appears with the draft's ``attributes``
beside it, which are its provenance.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from models.json_text import parsed_json
from pipeline.contract.errors import CorruptStore
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import SCENE_ZARR, SOURCE_NOTES, SOURCE_VIDEO
from pipeline.store.provenance import Provenance
from pipeline.store.video import VideoStore

PROVENANCE = "provenance"


class Draft(Protocol):
    """What a stage fills; ``attributes`` become the result's provenance."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what the result says of itself."""
        ...


DraftT_co = TypeVar("DraftT_co", bound=Draft, covariant=True)


class Output(Protocol[DraftT_co]):
    """The place of a stage's result among a video's files."""

    @property
    def name(self) -> str:
        """Return the name under which it is stored."""
        ...

    def draft(self, video: VideoStore) -> AbstractContextManager[DraftT_co]:
        """Give a draft that becomes the result when the block ends; after an error the store is as it was."""
        ...

    def noted(self, video: VideoStore) -> dict[str, Any] | None:
        """Return what a stored result says of itself, None where there is none; raises ``CorruptStore``."""
        ...

    def set_aside(self, video: VideoStore) -> str:
        """Move a damaged result out of the way; returns where it lies now."""
        ...


@dataclass(frozen=True)
class GroupOutput:
    """A group of ``scene.zarr``: rows are appended to its arrays; the provenance is its attributes."""

    name: str

    def draft(self, video: VideoStore) -> AbstractContextManager[GroupWriter]:
        """Give the writer of the group."""
        return video.write_group(self.name)

    def noted(self, video: VideoStore) -> dict[str, Any] | None:
        """Return the group's attributes."""
        return video.attributes(self.name) if video.has_group(self.name) else None

    def set_aside(self, video: VideoStore) -> str:
        """Move the group out of the way."""
        return video.set_aside(f"{SCENE_ZARR}/{self.name}")


@dataclass
class TableDraft:
    """A table that is to be written; its metadata is kept."""

    table: pa.Table | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TableOutput:
    """A Parquet file; the provenance is JSON in its metadata."""

    name: str

    @contextmanager
    def draft(self, video: VideoStore) -> Iterator[TableDraft]:
        """Give a draft whose ``table`` is written when the block ends."""
        draft = TableDraft()
        yield draft
        if draft.table is None:
            raise ValueError(f"no table was made for {self.name}")
        metadata = {**(draft.table.schema.metadata or {}), PROVENANCE.encode(): json.dumps(draft.attributes).encode()}
        video.write_table(self.name, draft.table.replace_schema_metadata(metadata))

    def noted(self, video: VideoStore) -> dict[str, Any] | None:
        """Return the provenance in the table's metadata; an empty one where it has none."""
        if not video.exists(self.name):
            return None
        metadata = video.read_table(self.name).schema.metadata or {}
        try:
            return dict(parsed_json(metadata.get(PROVENANCE.encode(), b"{}")))
        except (ValueError, TypeError) as error:
            message = f"{video.video_id}/{self.name} does not say how it was made ({error}): build the video again"
            raise CorruptStore(message) from error

    def set_aside(self, video: VideoStore) -> str:
        """Move the table out of the way."""
        return video.set_aside(self.name)


@dataclass
class SourceDraft:
    """A source video that is being fetched.

    folder: where it grows; it outlives errors and kills, so that a transfer is resumed. notes: content of
    ``source.json``.
    """

    folder: Path
    notes: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceOutput:
    """The video itself and, as the sign that it is whole, what is known of it: ``source.mp4``, then ``source.json``."""

    name: str = SOURCE_NOTES

    @contextmanager
    def draft(self, video: VideoStore) -> Iterator[SourceDraft]:
        """Give a folder into which the block puts ``source.mp4``."""
        video.files.claim()
        draft = SourceDraft(video.scratch / "download")
        draft.folder.mkdir(parents=True, exist_ok=True)
        yield draft
        video.remove(SOURCE_NOTES)
        video.place(draft.folder / SOURCE_VIDEO, SOURCE_VIDEO)
        video.write_json(SOURCE_NOTES, {**draft.notes, PROVENANCE: draft.attributes})
        shutil.rmtree(draft.folder)

    def noted(self, video: VideoStore) -> dict[str, Any] | None:
        """Return the provenance in ``source.json``."""
        return dict(video.read_json(SOURCE_NOTES)[PROVENANCE]) if video.exists(SOURCE_NOTES) else None

    def set_aside(self, video: VideoStore) -> str:
        """Move the notes out of the way, without which the video does not count as there."""
        return video.set_aside(SOURCE_NOTES)


def provenance(video: VideoStore, output: Output[Draft]) -> Provenance | None:
    """Return what a stored result notes about itself, or None where there is no result or a damaged one."""
    try:
        content = output.noted(video)
        return Provenance.model_validate(content) if content else None
    except (CorruptStore, KeyError, TypeError, ValueError):
        return None
