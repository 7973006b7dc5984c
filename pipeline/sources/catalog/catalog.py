"""The one truth on the state of a video, in the folder ``catalog`` of a store.

One row a video, in Parquet files of which the newest that holds a video has the last word (``keyed_table.py``). Readers
need no lock; writers of one machine take turns, and of those of several machines none undoes what another wrote.
"""

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from models.json_text import parsed_json
from pipeline.contract.errors import StageMissing
from pipeline.sources.catalog.keyed_table import KeyedTable, Result
from pipeline.sources.catalog.rows import ASKABLE, SCHEMA, CatalogRow, VideoState, as_rows, as_table, now
from pipeline.sources.video_source import VideoSource
from pipeline.store.files import Files
from pipeline.store.objects import changed, found

FOLDER = "catalog"
READ = "read.json"
"""By the name of a source: the rules under which it was last read to its end."""


class Catalog:
    """The catalog of a store; a command opens it once and hands it on.

    is_steady: questions are answered from the catalog as this object saw it last, until ``look_again``; changes are
    always made of what is stored.
    """

    def __init__(self, files: Files, *, is_steady: bool = False) -> None:
        self.files = files
        self._rows = KeyedTable(files, FOLDER, SCHEMA, "video_id", is_steady=is_steady)

    def __len__(self) -> int:
        return int(self._rows.table(["video_id"]).num_rows)

    def look_again(self) -> None:
        """Answer the next question from what is stored then."""
        self._rows.look_again()

    def change(self, work: Callable[[], Result]) -> Result:
        """Have what ``work`` reads of the catalog hold until what follows is written; it may be called again."""
        return self._rows.change(work)

    def add(self, sources: Iterable[VideoSource]) -> list[str]:
        """Register sources that are not known yet; return the ids of all ``sources``, in their order, each once."""
        listed = {source.video_id: source for source in sources}
        self.register(CatalogRow(key, source) for key, source in listed.items())
        return list(listed)

    def register(self, rows: Iterable[CatalogRow]) -> list[str]:
        """Add the videos that are not known yet; return their ids. Known ones stay as they are."""
        offered: dict[str, CatalogRow] = {}
        for row in rows:
            offered.setdefault(row.video_id, row)
        if self._rows.is_steady and offered.keys() <= self.known(list(offered)):  # no row ever goes
            return []
        return self._rows.change(lambda: self._register(offered))

    def _register(self, offered: Mapping[str, CatalogRow]) -> list[str]:
        known = self._rows.known(list(offered))
        fresh = [row for row in offered.values() if row.video_id not in known]
        if fresh:
            first = self._rows.listing().next_number
            numbered = [replace(row, number=first + i, when=row.when or now()) for i, row in enumerate(fresh)]
            self._rows.append(as_table(numbered), first + len(fresh))
        return [row.video_id for row in fresh]

    def update(self, video_ids: Sequence[str], change: Callable[[CatalogRow], CatalogRow]) -> None:
        """Change rows in one step; ``change`` is given each as it is and returns it as it shall be."""
        if video_ids:
            self._rows.change(lambda: self._update(video_ids, change))

    def _update(self, video_ids: Sequence[str], change: Callable[[CatalogRow], CatalogRow]) -> None:
        before = as_rows(self._rows.select(video_ids))
        after = [replace(change(row), when=now()) for row in before]
        if any(new.video_id != old.video_id for new, old in zip(after, before, strict=True)):
            raise ValueError("a video keeps its id")
        if after:
            self._rows.append(as_table(after), self._rows.listing().next_number)

    def mark_built(self, video_id: str, fingerprint: str) -> None:
        """Note the fingerprint of a finished video; does nothing where it is known or the video is not listed."""
        row = self.rows([video_id]).get(video_id)
        if row is not None and (row.built != fingerprint or row.state in ASKABLE):
            change = functools.partial(replace, built=fingerprint, state=VideoState.FETCHED, next_try=None)
            self.update([video_id], change)

    def rows(self, video_ids: Sequence[str]) -> dict[str, CatalogRow]:
        """Return the rows of those of ``video_ids`` that are known."""
        return {row.video_id: row for row in as_rows(self._rows.select(video_ids))}

    def row(self, key: str) -> CatalogRow:
        """Return the row of one video.

        Raises:
            StageMissing: the catalog does not know the video.
        """
        known = self.rows([key])
        if key not in known:
            message = f"{key} is not in the catalog: list its source in sources.yaml and materialise video_catalog"
            raise StageMissing(message)
        return known[key]

    def known(self, video_ids: Sequence[str]) -> set[str]:
        """Return those of ``video_ids`` that are known."""
        return self._rows.known(video_ids)

    def last_read(self, source: str) -> str | None:
        """Return the rules under which a source was last read to its end, or None where it never was."""
        return _reads(found(self.files.objects, f"{FOLDER}/{READ}")[0]).get(source)

    def note_read(self, source: str, rules: str) -> None:
        """Note that a source was read to its end under these rules; does nothing where that is known."""
        self.files.make_scratch()

        def noted(stored: bytes | None) -> bytes | None:
            reads = _reads(stored)
            return None if reads.get(source) == rules else json.dumps({**reads, source: rules}).encode()

        changed(self.files.objects, f"{FOLDER}/{READ}", noted)

    def video_ids(self) -> list[str]:
        """Return the ids of all videos, in order of registration."""
        return list(self.table(["video_id"])["video_id"].to_pylist())

    def table(self, columns: Sequence[str], states: Iterable[VideoState] | None = None) -> pa.Table:
        """Return columns of all rows, or of those in ``states``, in order of registration."""
        rows = self._rows.table(list(dict.fromkeys([*columns, "state", "number"])))
        if states is not None:
            rows = rows.filter(pc.is_in(rows["state"], pa.array(list(states), pa.string())))
        return rows.sort_by("number").select(list(columns))


def _reads(stored: bytes | None) -> dict[str, str]:
    """Return what the file of reads holds; nothing where it is missing or damaged."""
    try:
        content = {} if stored is None else parsed_json(stored)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
