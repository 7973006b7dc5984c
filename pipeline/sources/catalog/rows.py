"""A row of the catalog: one video, where it comes from, what is known of it, and what became of it."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

from pipeline.contract.errors import CorruptStore
from pipeline.contract.records import Segment
from pipeline.sources.video_source import VideoSource


class VideoState(StrEnum):
    """What became of a video; ``NEW``, ``RETRY``, ``NOT_YET`` and ``FETCHED`` may lead on, the others are final."""

    NEW = "new"
    RETRY = "retry"
    NOT_YET = "not_yet"
    FETCHED = "fetched"
    GONE = "gone"
    REJECTED = "rejected"
    UNWANTED = "unwanted"
    GIVEN_UP = "given_up"
    DUPLICATE = "duplicate"


ASKABLE = (VideoState.NEW, VideoState.RETRY, VideoState.NOT_YET)
"""States in which a host may be asked for the video."""

BUILDABLE = (*ASKABLE, VideoState.FETCHED)
"""States in which a video may become part of the dataset."""


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """What the catalog knows of one video.

    source: what is fetched, and the entry of the sources that named it. rules: that entry's rules as JSON, empty
    where it has none. segments: the stretches wanted, empty for the whole video. tries: times that a host was asked in
    vain. when: of the last change. next_try: not to be asked before. number: order of registration. sha256: of the
    file that arrived. built: fingerprint of the finished video.
    """

    video_id: str
    source: VideoSource
    rules: str = ""
    title: str = ""
    uploader: str = ""
    published: datetime | None = None
    duration_s: float | None = None
    licence: str = ""
    segments: tuple[Segment, ...] = ()
    state: VideoState = VideoState.NEW
    tries: int = 0
    last_error: str = ""
    when: datetime | None = None
    next_try: datetime | None = None
    number: int = -1
    sha256: str = ""
    duplicate_of: str = ""
    built: str = ""


_TIME = pa.timestamp("ms", "UTC")
_SEGMENT = pa.struct([("start_s", pa.float64()), ("end_s", pa.float64())])
_TYPES: dict[str, pa.DataType] = {
    "published": _TIME,
    "duration_s": pa.float64(),
    "segments": pa.list_(pa.field("element", _SEGMENT)),
    "tries": pa.int32(),
    "when": _TIME,
    "next_try": _TIME,
    "number": pa.int64(),
}
_SOURCE = ("origin", "source")
_NAMES = [name for field in fields(CatalogRow) for name in (_SOURCE if field.name == "source" else (field.name,))]
_UNKNOWN = ("published", "duration_s", "when", "next_try")
"""Columns that may hold nothing."""
SCHEMA = pa.schema([pa.field(name, _TYPES.get(name, pa.string()), nullable=name in _UNKNOWN) for name in _NAMES])
"""A row's source is two columns: what is fetched, and the entry that named it (or once more itself)."""


def as_table(rows: list[CatalogRow]) -> pa.Table:
    """Return rows as a table of ``SCHEMA``."""
    own = {field.name for field in fields(CatalogRow)} - {"source"}
    columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names if name in own}
    columns["origin"] = [row.source.origin for row in rows]
    columns["source"] = [row.source.listed_by or row.source.origin for row in rows]
    columns["segments"] = [[segment._asdict() for segment in row.segments] for row in rows]
    return pa.table(columns, SCHEMA)


def as_rows(table: pa.Table) -> list[CatalogRow]:
    """Return a table of ``SCHEMA`` as rows; raises ``CorruptStore`` where a row holds what none of ours does."""
    try:
        return [_as_row(values) for values in table.to_pylist()]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise CorruptStore(f"the catalog holds a row that is none ({error}): restore it from a backup") from error


def now() -> datetime:
    """Return the present time as the catalog notes it: UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def _as_row(values: dict[str, Any]) -> CatalogRow:
    origin, listed_by = values.pop("origin"), values.pop("source")
    source = VideoSource.of_origin(origin, listed_by if listed_by != origin else "")
    segments = tuple(Segment(**segment) for segment in values["segments"])
    return CatalogRow(**{**values, "source": source, "segments": segments, "state": VideoState(values["state"])})
