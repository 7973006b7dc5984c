"""Keeps a large table of rows with keys as a few Parquet files, so that a change writes little and reads stay quick.

``parts.json`` names the files, oldest first; of rows with the same key the one in the newest file holds. A change is
one more file; a file that has grown to half the one before it is merged into that one, so that there are few
and every row is rewritten about log2(n) times. What decides that a change happened is ``parts.json``, written last, and
only if it is what the change was made from: of two machines that change the table at once, one begins anew.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray

from pipeline.contract.errors import CorruptStore, WrittenMeanwhile
from pipeline.contract.waits import held_aloud
from pipeline.sources.catalog.listing import LIST, Listing, TableFile
from pipeline.store.files import Files
from pipeline.store.objects import TRIES, Expected, ObjectVersion, found, give_way

ROWS_PER_GROUP = 32_768
ROWS_PER_FILE = 2**22
READ_TRIES = 20
"""Times that a reader begins anew because a writer merged files away under it."""


@dataclass
class _Change:
    """A change that is being made: what it is made from, the rows it adds, what follows once it holds."""

    before: Listing
    version: ObjectVersion | None
    next_number: int
    rows: pa.Table | None = None
    follow: list[Callable[[Listing], None]] = field(default_factory=list)


Result = TypeVar("Result")


class KeyedTable:
    """A table in the folder ``folder`` of a store, with the string column ``key``.

    is_steady: what is read outside of a change is the table as this object saw it last, until ``look_again``.
    rows_per_file: beyond which files are not merged; what a merge holds in memory.
    """

    def __init__(
        self,
        files: Files,
        folder: str,
        schema: pa.Schema,
        key: str,
        *,
        is_steady: bool = False,
        rows_per_file: int = ROWS_PER_FILE,
    ) -> None:
        self.files = files
        self.folder = folder
        self.schema = schema
        self.key = key
        self.is_steady = is_steady
        self.rows_per_file = rows_per_file
        self._seen: Listing | None = None
        self._lock = FileLock(files.scratch / f"{folder}.lock")
        self._thread = threading.local()

    def change(self, work: Callable[[], Result]) -> Result:
        """Change the table in one step: what ``work`` reads of it holds when the rows that it appends take effect.

        Writers of this machine take turns; where another machine was first, nothing of the change holds, and ``work``
        is called again. A change inside another is part of it.

        Raises:
            WrittenMeanwhile: others were first, ``TRIES`` times in a row.
        """
        if self._begun() is not None:
            return work()
        self.files.make_scratch()
        with held_aloud(self._lock, f"the {self.folder}"):
            for tried in range(TRIES):
                try:
                    return self._changed(work)
                except WrittenMeanwhile:
                    if tried == TRIES - 1:
                        raise
                    give_way(tried)
        raise AssertionError

    def listing(self) -> Listing:
        """Return which files there are; inside a change, those that it is made from and the number it has come to.

        Raises:
            CorruptStore: the list does not read back.
        """
        begun = self._begun()
        if begun is not None:
            return replace(begun.before, next_number=begun.next_number)
        return self._seen if self.is_steady and self._seen is not None else self._stored()[0]

    def look_again(self) -> None:
        """Have what is read next be what is stored then."""
        self._seen = None

    def follow(self, follow: Callable[[Listing], None]) -> None:
        """Have something called once the change that is being made holds, with the new list."""
        self._thread.change.follow.append(follow)

    def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of ``keys`` that the table holds."""
        wanted = pa.array(keys, pa.string())
        return set(wanted.filter(pc.is_in(wanted, self._consistent([self.key])[self.key])).to_pylist())

    def select(self, keys: Sequence[str]) -> pa.Table:
        """Return the rows with these keys, each once; reads no more row groups than hold one."""
        return self._retried(lambda listing: self._select(listing, keys))

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Return some columns of all rows, each row once."""
        return self._consistent(list(columns))

    def rows_of(self, part: TableFile) -> pa.Table:
        """Return the rows of one file of ``listing``; raises ``WrittenMeanwhile`` in a change made from an old one."""
        return self._retried(lambda _: self._read(part, self.schema.names))

    def append(self, rows: pa.Table, next_number: int) -> None:
        """Add rows, which take the place of those with the same keys."""
        self.change(lambda: self._append(rows, next_number))

    def _append(self, rows: pa.Table, next_number: int) -> None:
        begun: _Change = self._thread.change
        begun.rows = rows if begun.rows is None else self._newest([begun.rows, rows])
        begun.next_number = next_number

    def _begun(self) -> _Change | None:
        """Return the change that this thread is making."""
        return getattr(self._thread, "change", None)

    def _stored(self) -> tuple[Listing, ObjectVersion | None]:
        content, version = found(self.files.objects, f"{self.folder}/{LIST}")
        try:
            self._seen = Listing() if content is None else Listing.parsed(content)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            message = f"{self.files.path(self.folder, LIST)} does not read back ({error}): restore it from a backup"
            raise CorruptStore(message) from error
        return self._seen, version

    def _changed(self, work: Callable[[], Result]) -> Result:
        listing, version = self._stored()
        begun = _Change(listing, version, listing.next_number)
        self._thread.change = begun
        try:
            result = work()
            after = listing if begun.rows is None else self._commit(begun, begun.rows)
        finally:
            self._thread.change = None
        for follow in begun.follow:
            follow(after)
        return result

    def _commit(self, begun: _Change, rows: pa.Table) -> Listing:
        kept, gone = [*begun.before.parts], []
        while kept and kept[-1].rows <= min(2 * rows.num_rows, self.rows_per_file - rows.num_rows):
            older = kept.pop()
            gone.append(older.name)
            rows = self._newest([self._part(older, self.schema.names), rows])
        new = TableFile(f"{uuid4().hex}.parquet", rows.num_rows)
        sink = pa.BufferOutputStream()
        ordered = rows.sort_by(self.key)  # so that few row groups may hold a key
        pq.write_table(ordered, sink, compression="lz4", row_group_size=ROWS_PER_GROUP)
        self.files.write_once(sink.getvalue().to_pybytes(), self.folder, new.name)
        after = Listing((*kept, new), begun.next_number, () if self.files.is_local() else tuple(gone))
        try:
            self.files.objects.put(f"{self.folder}/{LIST}", after.stored(), Expected(begun.version))
        except WrittenMeanwhile:
            self.files.remove(self.folder, new.name)
            raise
        self._seen = after
        for name in gone if self.files.is_local() else begun.before.gone:
            self.files.remove(self.folder, name)
        return after

    def _part(self, part: TableFile, columns: list[str]) -> pa.Table:
        """Return a file of the list that a change is made from; raises ``WrittenMeanwhile`` where that list is old."""
        try:
            return self._read(part, columns)
        except FileNotFoundError:
            self._refuse_old()
            raise

    def _refuse_old(self) -> None:
        """Have a change begin anew whose list is not the stored one any more."""
        begun = self._begun()
        if begun is not None and self._stored()[1] != begun.version:
            raise WrittenMeanwhile(f"the {self.folder} was changed by another process")

    def _consistent(self, columns: list[str]) -> pa.Table:
        needed = list(dict.fromkeys([self.key, *columns]))

        def read(listing: Listing) -> pa.Table:
            begun = self._begun()
            added = [] if begun is None or begun.rows is None else [begun.rows.select(needed)]
            return self._newest([*(self._read(part, needed) for part in listing.parts), *added], needed)

        return self._retried(read).select(columns)

    def _retried(self, read: Callable[[Listing], pa.Table]) -> pa.Table:
        for _ in range(READ_TRIES):
            try:
                rows = read(self.listing())
                rows.validate(full=True)
            except FileNotFoundError:
                self._refuse_old()
                self.look_again()
                continue
            except (pa.ArrowException, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
                message = f"files of {self.files.path(self.folder)} do not fit together ({error}): restore them"
                raise CorruptStore(f"{message} from a backup") from error
            return rows
        message = f"files of {self.files.path(self.folder)} are missing: restore them from a backup"
        raise CorruptStore(message)

    def _newest(self, tables: Sequence[pa.Table], columns: Sequence[str] | None = None) -> pa.Table:
        """Join tables, oldest first, keeping of each key the row in the newest."""
        kept, seen = [], pa.chunked_array([], pa.string())
        for table in reversed(tables):
            kept.append(table.filter(pc.invert(pc.is_in(table[self.key], seen))) if len(seen) else table)
            seen = pa.chunked_array([*seen.chunks, *table[self.key].chunks], pa.string())
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        return pa.concat_tables(reversed(kept)) if kept else schema.empty_table()

    def _select(self, listing: Listing, keys: Sequence[str]) -> pa.Table:
        wanted, begun = pa.array(keys, pa.string()), self._begun()
        added = self.schema.empty_table() if begun is None or begun.rows is None else begun.rows
        hits = added.filter(pc.is_in(added[self.key], wanted))
        selected = [hits]
        for part in reversed(listing.parts):
            wanted = wanted.filter(pc.invert(pc.is_in(wanted, hits[self.key])))
            if not len(wanted):
                break
            hits = self._hits(part, wanted)
            selected.append(hits)
        return pa.concat_tables(selected)

    def _hits(self, part: TableFile, wanted: pa.Array) -> pa.Table:
        with self.files.open_parquet(self.folder, part.name, is_written_once=True) as file:
            groups = [group for group in self._groups_of(file, wanted) if self._holds(file, group, wanted)]
            if not groups:
                return self.schema.empty_table()
            content = self._fitting(file.read_row_groups(groups))
        return content.filter(pc.is_in(content[self.key], wanted))

    def _groups_of(self, file: pq.ParquetFile, wanted: pa.Array) -> list[int]:
        """Return the row groups whose first and last key leave room for one of these; all where the file says none."""
        keys, column = np.sort(wanted.to_numpy(zero_copy_only=False)), file.schema_arrow.get_field_index(self.key)
        if column < 0 or file.schema_arrow.field(column).type != pa.string():
            raise KeyError(f"no column of strings {self.key!r}")
        groups = []
        for group in range(file.num_row_groups):
            noted = file.metadata.row_group(group).column(column).statistics
            if noted is None or not noted.has_min_max or _reach(keys, noted.min, noted.max):
                groups.append(group)
        return groups

    def _holds(self, file: pq.ParquetFile, group: int, wanted: pa.Array) -> bool:
        keys = file.read_row_group(group, [self.key]).select([self.key])[self.key]
        return bool(pc.any(pc.is_in(keys, wanted)).as_py())

    def _read(self, part: TableFile, columns: list[str]) -> pa.Table:
        with self.files.open_parquet(self.folder, part.name, is_written_once=True) as file:
            return self._fitting(file.read(columns).select(columns))

    def _fitting(self, table: pa.Table) -> pa.Table:
        """Return a table whose columns are those of the schema; raises ``ValueError`` where they are others."""
        wanted = pa.schema([self.schema.field(name) for name in table.column_names])
        other = [field.name for field in wanted if table.schema.field(field.name).type != field.type]
        if other:
            raise TypeError(f"{other[0]!r} is {table.schema.field(other[0]).type}")
        return table.cast(wanted)


def _reach(keys: NDArray[np.object_], first: str, last: str) -> bool:
    """Tell whether one of some keys, in order, lies between two."""
    place = int(np.searchsorted(keys, first))
    return place < len(keys) and bool(keys[place] <= last)
