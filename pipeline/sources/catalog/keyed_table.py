"""Keeps a large table of rows with keys as a few Parquet files, so that a change writes little and reads stay quick.

``parts.json`` names the files, oldest first; of rows with the same key the one in the newest file holds. A change is
one more file; a file that has grown to half the one before it is merged into that one, so that there are few
and every row is rewritten about log2(n) times. What decides that a change happened is ``parts.json``, written last.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray

from models.json_text import parsed_json
from pipeline.contract.errors import CorruptStore
from pipeline.contract.waits import held_aloud
from pipeline.store.files import Files

LIST = "parts.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.parquet")
ROWS_PER_GROUP = 32_768
LARGEST_NUMBER = 2**62
READ_TRIES = 20
"""Times that a reader begins anew because a writer merged files away under it."""


@dataclass(frozen=True)
class TableFile:
    """One file: its name and number of rows."""

    name: str
    rows: int


@dataclass(frozen=True)
class Listing:
    """The files that make up the table, oldest first, and the number that the next new row gets."""

    parts: tuple[TableFile, ...] = ()
    next_number: int = 0


def _table_file(stored: dict[str, object]) -> TableFile:
    """Return an entry of the list; raises ``ValueError`` where it names what is no file of a table."""
    name, rows = str(stored["name"]), stored["rows"]
    if not _NAME.fullmatch(name) or not isinstance(rows, int):
        raise ValueError(f"{name[:80]!r} is no file of a table")
    return TableFile(name, rows)


def _number(stored: object) -> int:
    """Return the number of a row; raises ``ValueError`` where it is none that a table can hold."""
    if not isinstance(stored, int) or not 0 <= stored < LARGEST_NUMBER:
        raise ValueError(f"{str(stored)[:80]!r} is no number of a row")
    return stored


class KeyedTable:
    """A table in the folder ``folder`` of a store, with the string column ``key``."""

    def __init__(self, files: Files, folder: str, schema: pa.Schema, key: str) -> None:
        self.files = files
        self.folder = folder
        self.schema = schema
        self.key = key
        self._lock = FileLock(files.scratch / f"{folder}.lock")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the table against other writers of this machine; the same thread may hold it twice."""
        self.files.make_scratch()
        with held_aloud(self._lock, f"the {self.folder}"):
            yield

    def listing(self) -> Listing:
        """Return which files there are.

        Raises:
            CorruptStore: the list does not read back.
        """
        if not self.files.exists(self.folder, LIST):
            return Listing()
        try:
            content = parsed_json(self.files.read_bytes(self.folder, LIST))
            return Listing(tuple(_table_file(part) for part in content["parts"]), _number(content["next_number"]))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            message = f"{self.files.path(self.folder, LIST)} does not read back ({error}): restore it from a backup"
            raise CorruptStore(message) from error

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

    def append(self, rows: pa.Table, next_number: int) -> None:
        """Add rows, which take the place of those with the same keys; the caller holds the lock."""
        listing = self.listing()
        merged, gone = [*listing.parts], []
        while merged and merged[-1].rows <= 2 * rows.num_rows:
            older = merged.pop()
            gone.append(older.name)
            rows = self._newest([self._read(older, self.schema.names), rows])
        new = TableFile(f"{uuid4().hex}.parquet", rows.num_rows)
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="lz4", row_group_size=ROWS_PER_GROUP)
        self.files.write_bytes(sink.getvalue(), self.folder, new.name)
        content = {"parts": [asdict(part) for part in (*merged, new)], "next_number": next_number}
        self.files.write_bytes(json.dumps(content).encode(), self.folder, LIST)
        for name in gone:
            self.files.remove(self.folder, name)

    def _consistent(self, columns: list[str]) -> pa.Table:
        needed = list(dict.fromkeys([self.key, *columns]))

        def read(listing: Listing) -> pa.Table:
            return self._newest([self._read(part, needed) for part in listing.parts], needed)

        return self._retried(read).select(columns)

    def _retried(self, read: Callable[[Listing], pa.Table]) -> pa.Table:
        for _ in range(READ_TRIES):
            try:
                found = read(self.listing())
                found.validate(full=True)
            except FileNotFoundError:
                continue
            except (pa.ArrowException, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
                message = f"files of {self.files.path(self.folder)} do not fit together ({error}): restore them"
                raise CorruptStore(f"{message} from a backup") from error
            return found
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
        wanted, found = pa.array(keys, pa.string()), [self.schema.empty_table()]
        for part in reversed(listing.parts):
            if not len(wanted):
                break
            hits = self._hits(part, wanted)
            found.append(hits)
            wanted = wanted.filter(pc.invert(pc.is_in(wanted, hits[self.key])))
        return pa.concat_tables(found)

    def _hits(self, part: TableFile, wanted: pa.Array) -> pa.Table:
        with self.files.open_parquet(self.folder, part.name) as file:
            keys = file.read([self.key]).select([self.key])[self.key]
            rows: NDArray[np.int64] = np.flatnonzero(pc.is_in(keys, wanted).to_numpy())
            groups = np.unique(rows // ROWS_PER_GROUP)
            if not len(groups):
                return self.schema.empty_table()
            content = self._fitting(file.read_row_groups(groups.tolist()))
        starts = np.searchsorted(groups, rows // ROWS_PER_GROUP) * ROWS_PER_GROUP
        return content.take(starts + rows % ROWS_PER_GROUP)

    def _read(self, part: TableFile, columns: list[str]) -> pa.Table:
        with self.files.open_parquet(self.folder, part.name) as file:
            return self._fitting(file.read(columns).select(columns))

    def _fitting(self, table: pa.Table) -> pa.Table:
        """Return a table whose columns are those of the schema; raises ``ValueError`` where they are others."""
        wanted = pa.schema([self.schema.field(name) for name in table.column_names])
        other = [field.name for field in wanted if table.schema.field(field.name).type != field.type]
        if other:
            raise TypeError(f"{other[0]!r} is {table.schema.field(other[0]).type}")
        return table.cast(wanted)
