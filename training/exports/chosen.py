"""Which frames an export takes, and in which pieces it writes them."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import SettingsError, StageMissing
from pipeline.store.frames import Frame, FrameReader
from pipeline.store.groups import WORLD_ID
from pipeline.store.index import INDEX_SCHEMA, read_index
from pipeline.store.store import Store
from pipeline.store.video import check_video_id

FRAME_COLUMNS = ("video_id", "row", "clip_id", "split", "time_s", "made")
COLUMNS = (*FRAME_COLUMNS, WORLD_ID)
FRAMES_PER_SHARD = 512
"""Frames after which a shard ends, with the clip: some 300 MB."""

_CONDITION = re.compile(r"\s*([a-z_]+)\s*(<=|>=|!=|=|<|>)\s*(\S.*?)\s*")
_COMPARED = {
    "<": pc.less,
    ">": pc.greater,
    "<=": pc.less_equal,
    ">=": pc.greater_equal,
    "=": pc.equal,
    "!=": pc.not_equal,
}


class ExportPiece(NamedTuple):
    """What is written at once, whole or not at all: its path below the export's folder, and its rows of the index."""

    path: str
    rows: pa.Table

    def frames(self, reader: FrameReader) -> Iterator[Frame]:
        """Yield the frames, one at a time, so that what was read of one can go before the next."""
        for row in self.rows.select(FRAME_COLUMNS).to_pylist():
            yield Frame(**{**row, "made": row["made"] or ""}, reader=reader)


def chosen_rows(store: Store, split: str, conditions: Sequence[str]) -> pa.Table:
    """Return the rows of the index that an export takes, in order, with ``COLUMNS``.

    split: ``train``, ``validation`` or ``all``. conditions: such as ``probability_right>=0.8``; all must hold, and
    none holds where the index does not know the value.

    Raises:
        SettingsError: a condition or an id that cannot be understood.
        StageMissing: there is no dataset, or no such frame in it.
    """
    parsed = [_parsed(text) for text in conditions]
    try:
        rows = read_index(store, list(dict.fromkeys([*COLUMNS, *(column for column, _, _ in parsed)])))
    except FileNotFoundError as error:
        raise StageMissing(f"{store.path('dataset')} holds no dataset: build one first") from error
    if split != "all":
        rows = rows.filter(pc.equal(rows["split"], split))
    for column, sign, value in parsed:
        rows = rows.filter(_COMPARED[sign](rows[column], value))
    if not rows.num_rows:
        raise StageMissing(f"the dataset has no frame of split {split!r} with {list(conditions)}: ask for others")
    for video_id in rows["video_id"].unique().to_pylist():
        check_video_id(video_id)
    known = pc.coalesce(rows[WORLD_ID], rows["clip_id"].cast(pa.int32()))  # an earlier release: every clip its own
    return rows.select(FRAME_COLUMNS).append_column(WORLD_ID, known)


def by_clip(rows: pa.Table) -> list[ExportPiece]:
    """Return a piece for every clip, a folder or file named after video and clip."""
    return [ExportPiece(f"{video_id}_{clip_id:03d}", own) for video_id, clip_id, own in _runs(rows, "clip_id")]


def by_world(rows: pa.Table) -> list[ExportPiece]:
    """Return a piece for all clips of one world, which share frame, floor and scale, named after the first of them."""
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in ("video_id", WORLD_ID, "row")])
    own = _runs(rows.take(order), WORLD_ID)
    return [ExportPiece(f"{video_id}_{world_id:03d}", frames) for video_id, world_id, frames in own]


def in_shards(rows: pa.Table, name: str) -> list[ExportPiece]:
    """Return pieces of whole clips, by split.

    name: of a shard, with ``{split}``, ``{number}`` and ``{count}``.
    """
    pieces = []
    for split in sorted(rows["split"].unique().to_pylist()):
        own = rows.filter(pc.equal(rows["split"], split))
        starts = [0]
        at = 0
        for _, _, frames in _runs(own, "clip_id"):
            if at > starts[-1] and at + frames.num_rows - starts[-1] > FRAMES_PER_SHARD:
                starts.append(at)
            at += frames.num_rows
        ends = [*starts[1:], own.num_rows]
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            path = name.format(split=split, number=number, count=len(starts))
            pieces.append(ExportPiece(path, own.slice(start, end - start)))
    return pieces


def _runs(rows: pa.Table, column: str) -> Iterator[tuple[str, int, pa.Table]]:
    """Yield the rows that follow one another with the same video and number, and those two."""
    at = 0
    ids = zip(rows["video_id"].to_pylist(), rows[column].to_pylist(), strict=True)
    for (video_id, number), same in groupby(ids):
        count = sum(1 for _ in same)
        yield video_id, number, rows.slice(at, count)
        at += count


def _parsed(text: str) -> tuple[str, str, pa.Scalar]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise SettingsError(f"{text!r} is no condition: write one as probability_right>=0.8 or scale_source=ceiling")
    column, sign, value = found.groups()
    if column not in INDEX_SCHEMA.names:
        raise SettingsError(f"the index has no column {column!r}; it has {', '.join(INDEX_SCHEMA.names)}")
    try:
        return column, sign, pa.scalar(value).cast(INDEX_SCHEMA.field(column).type)
    except pa.ArrowException as error:
        raise SettingsError(f"{value!r} in {text!r} is no value of {column}: {error}") from error
