"""Writes the files of the index: those whose videos changed, in one sorted pass each.

Rows of videos that have not changed are copied from the file before, others are read from the video's store. Files are
written to scratch and put into their places at the end; of an index of several files, what decides is their list,
written last.
"""

import bisect
import hashlib
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.errors import CorruptStore, VideoError
from pipeline.dataset.contents import ROWS_AT_ONCE, WRITTEN, contents_of, starts_of, without_rows
from pipeline.dataset.selection import WantedVideos
from pipeline.dataset.video_rows import video_rows
from pipeline.settings import FilterSettings
from pipeline.store.atomic import disk_errors
from pipeline.store.drafts import remove_tree
from pipeline.store.index import (
    FILES,
    FOLDER,
    INDEX,
    INDEX_SCHEMA,
    IndexFile,
    IndexFiles,
    index_files,
    is_index,
    with_all_columns,
)
from pipeline.store.store import Store

ROWS_A_FILE = 16_384
"""Rows after which a file of the index ends, with its video; to write one anew takes a fifth of a second."""

ROWS_OF_ONE = 4 * ROWS_A_FILE
"""Rows up to which an index is one file."""

_SPLIT = INDEX_SCHEMA.get_field_index("split")


@dataclass
class Written:
    """What came of writing.

    contents: of the videos that were written, a row each. unreadable: videos that do not read back, and why.
    """

    contents: dict[str, pa.Table] = field(default_factory=dict)
    unreadable: dict[str, VideoError] = field(default_factory=dict)


@dataclass(frozen=True)
class _Draft:
    """A finished file in scratch, and what the index shall call it."""

    path: Path
    file: IndexFile


class IndexWriter:
    """Writes an index anew where it changes.

    Args:
        store: of the dataset.
        wanted: the videos that the index shall hold, in the order of their ids.
        anew: videos whose rows are read again, though their fingerprint is as it was.
        filters: which clips are left out.
    """

    def __init__(self, store: Store, wanted: WantedVideos, anew: AbstractSet[str], filters: FilterSettings) -> None:
        self.store, self._wanted, self._anew, self._filters = store, wanted, anew, filters
        self._ids = list(wanted.fingerprints)
        self._scratch = store.make_scratch() / "index"
        self.result = Written()
        self.counts_all = False

    def write(self, changed: AbstractSet[str] | None, written: str) -> Written:
        """Write the files that hold ``changed`` videos, or all where that is None; ``written`` names the writing."""
        self.counts_all = changed is None
        try:
            with disk_errors():
                remove_tree(self._scratch)
                self._scratch.mkdir(parents=True)
                listed = _listed(self.store)
                self._place(listed, list(self._parts(listed, changed, written)), written)
        finally:
            remove_tree(self._scratch)
        return self.result

    def _parts(
        self, listed: IndexFiles, changed: AbstractSet[str] | None, written: str
    ) -> Iterator[IndexFile | _Draft]:
        """Yield the files of the new index in their order: those that stay, and drafts of the others."""
        firsts = [part.first for part in listed.files] or [""]
        starts = [0, *(bisect.bisect_left(self._ids, first) for first in firsts[1:]), len(self._ids)]
        dirty = {max(bisect.bisect_right(firsts, video_id) - 1, 0) for video_id in changed or ()}
        for at in range(len(firsts)):
            old = listed.files[at] if listed.files else None
            if old is not None and changed is not None and at not in dirty:
                yield old
                continue
            ids, tables = self._ids[starts[at] : starts[at + 1]], _Tables(self, old)
            drafts = list(self._drafts(tables.of(ids), written))
            if tables.differ and tables.lack_notes:
                drafts = list(self._drafts(_Tables(self, old, renew=True).of(ids), written))
            if old is not None and not tables.differ:
                yield old
            else:
                yield from drafts

    def _drafts(self, tables: Iterator[pa.Table], written: str) -> Iterator[_Draft]:
        """Write tables of videos to files of about ``ROWS_A_FILE`` rows, none where there are no rows."""
        first = next(tables, None)
        while first is not None:
            path, digest = self._scratch / f"{uuid4().hex}.parquet", hashlib.sha256()
            name = first["video_id"][0].as_py()
            with closing(pq.ParquetWriter(path, INDEX_SCHEMA, compression="zstd")) as writer:
                writer.add_key_value_metadata({WRITTEN.decode(): written})
                first = _filled(writer, first, tables, digest.update)
            yield _Draft(path, IndexFile(name=f"{FOLDER[1]}/{name}-{digest.hexdigest()[:12]}.parquet", first=name))

    def _place(self, listed: IndexFiles, parts: Sequence[IndexFile | _Draft], written: str) -> None:
        """Put drafts into their places, name the files of the index, and remove those that it has no more."""
        if not any(isinstance(part, _Draft) for part in parts) and len(parts) == len(listed.files) > 0:
            return
        if not parts:
            path = self._scratch / "empty.parquet"
            pq.write_table(INDEX_SCHEMA.empty_table().replace_schema_metadata({WRITTEN: written.encode()}), path)
            parts = [_Draft(path, IndexFile(name=f"{FOLDER[1]}/empty.parquet"))]
        if not self.store.exists(*FILES):
            drafts = [part for part in parts if isinstance(part, _Draft)]
            if sum(pq.read_metadata(draft.path).num_rows for draft in drafts) <= ROWS_OF_ONE:
                self.store.place(_joined(drafts, self._scratch / "index.parquet", written), *INDEX)
                return
        files = tuple(self._placed(part) if isinstance(part, _Draft) else part for part in parts)
        self.store.write_bytes(IndexFiles(files=files, written=written).model_dump_json(indent=1).encode(), *FILES)
        for name in {part.name for part in listed.files} - {part.name for part in files}:
            self.store.remove("dataset", name)

    def _placed(self, part: _Draft) -> IndexFile:
        """Put a draft into its place and return what the list says of it."""
        with part.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.store.place(part.path, "dataset", part.file.name)
        return part.file.model_copy(update={"sha256": digest})

    def rows_of(self, video_id: str) -> pa.Table:
        """Return the rows of a video, read from its store; none, and a note of the error, where they do not read."""
        video, fingerprint = self.store.video(video_id).as_it_is(), self._wanted.fingerprints[video_id]
        try:
            return video_rows(video, self._wanted.splits[video_id], fingerprint, self._filters)
        except VideoError as error:
            self.result.unreadable[video_id] = error
            return INDEX_SCHEMA.empty_table()

    def note_contents(self, video_id: str, rows: pa.Table) -> None:
        """Note what the index holds of a video."""
        fingerprint, split = self._wanted.fingerprints[video_id], self._wanted.splits[video_id]
        if rows.num_rows:
            self.result.contents[video_id] = contents_of(rows)
        elif video_id not in self.result.unreadable:
            self.result.contents[video_id] = without_rows(video_id, fingerprint, split)

    def copied(self, video_id: str, before: pa.Table | None) -> pa.Table | None:
        """Return the rows of a video as they were, on today's side of the split, or None where they have to be read."""
        fingerprint, split = self._wanted.fingerprints[video_id], self._wanted.splits[video_id]
        if before is None or video_id in self._anew or before["fingerprint"][0].as_py() != fingerprint:
            return None
        if before["split"][0].as_py() == split:
            return before
        return before.set_column(_SPLIT, INDEX_SCHEMA.field(_SPLIT), pa.array([split] * before.num_rows))


class _Tables:
    """The rows of a file's videos one after the other.

    Then ``differ`` tells whether they are not what the file held, and ``lack_notes`` whether some of them are of
    release 0.1, which did not note of which groups they are; ``renew``: these are read again.
    """

    def __init__(self, writer: IndexWriter, old: IndexFile | None, *, renew: bool = False) -> None:
        self._writer, self._old, self._renew = writer, old, renew
        self.differ = self.lack_notes = False

    def of(self, video_ids: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows of videos that have any, and note their contents."""
        earlier = _tables(self._writer.store, self._old) if self._old else iter(())
        known_id, known = next(earlier, (None, None))
        for video_id in video_ids:
            while known_id is not None and known_id < video_id:
                self.differ = True
                known_id, known = next(earlier, (None, None))
            before = known if known_id == video_id else None
            if known_id == video_id:
                known_id, known = next(earlier, (None, None))
            lacks_notes = before is not None and before["made"].null_count > 0
            self.lack_notes |= lacks_notes
            copied = None if lacks_notes and self._renew else self._writer.copied(video_id, before)
            rows: pa.Table = self._writer.rows_of(video_id) if copied is None else copied
            if rows is before and self._writer.counts_all:
                self._writer.note_contents(video_id, rows)
            if rows is not before:
                self.differ |= not rows.equals(before if before is not None else INDEX_SCHEMA.empty_table())
                self._writer.note_contents(video_id, rows)
            if rows.num_rows:
                yield rows
        self.differ |= known_id is not None


def _filled(
    writer: pq.ParquetWriter, first: pa.Table, tables: Iterator[pa.Table], note: Callable[[bytes], object]
) -> pa.Table | None:
    """Write tables until the file is full; return the first one that it does not hold."""
    waiting, rows, table = [], 0, first
    while table is not None and rows < ROWS_A_FILE:
        waiting.append(table)
        rows += table.num_rows
        note(" ".join(table[name][0].as_py() for name in ("video_id", "fingerprint", "split")).encode())
        table = next(tables, None)
    writer.write_table(pa.concat_tables(waiting))
    return table


def _joined(drafts: Sequence[_Draft], path: Path, written: str) -> Path:
    """Return one file with the rows of drafts."""
    if len(drafts) == 1:
        return drafts[0].path
    rows = pa.concat_tables(pq.read_table(draft.path) for draft in drafts)
    pq.write_table(rows.replace_schema_metadata({WRITTEN: written.encode()}), path, compression="zstd")
    return path


def _listed(store: Store) -> IndexFiles:
    try:
        return index_files(store)
    except CorruptStore:
        return IndexFiles()


def _tables(store: Store, part: IndexFile) -> Iterator[tuple[str | None, pa.Table | None]]:
    """Yield the rows of videos of a file, as far as it can be read: what is not here is read from videos."""
    with suppress(CorruptStore, pa.ArrowException, OSError), store.open_parquet("dataset", part.name) as parquet:
        if not is_index(parquet.schema_arrow):
            return
        batches = parquet.iter_batches(batch_size=ROWS_AT_ONCE)
        pieces = (piece for batch in batches for piece in _runs(with_all_columns(pa.Table.from_batches([batch]))))
        for video_id, parts in groupby(pieces, key=lambda piece: piece[0]):
            yield video_id, pa.concat_tables([table for _, table in parts]).replace_schema_metadata()


def _runs(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    starts = starts_of(table).tolist()
    for start, stop in zip(starts, [*starts[1:], table.num_rows], strict=True):
        yield table["video_id"][start].as_py(), table.slice(start, stop - start)
