"""Which videos there are and what became of them: ``<data>/catalog/``, the one truth on the state of a video.

One row a video, in Parquet files of which the newest that holds a video has the last word (``parts.py``). Readers need
no lock; writers of one machine take turns.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract.errors import StageMissing
from pipeline.sources.catalog.parts import Parts
from pipeline.sources.catalog.rows import ASKABLE, BUILDABLE, SCHEMA, CatalogRow, VideoState, as_rows, as_table, now
from pipeline.sources.video_source import VideoSource, parse_source, video_id
from pipeline.store.files import Store, VideoStore

__all__ = [
    "ASKABLE",
    "BUILDABLE",
    "Catalog",
    "CatalogRow",
    "VideoState",
    "mark_built",
    "now",
    "register",
    "registered",
    "source_of",
    "source_of_row",
]

FOLDER = "catalog"


class Catalog:
    """The catalog of a store."""

    def __init__(self, store: Store) -> None:
        self._parts = Parts(store, FOLDER, SCHEMA, "video_id")

    def __len__(self) -> int:
        return int(self._parts.table(["video_id"]).num_rows)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the catalog against other writers, so that what is read holds until what follows from it is written."""
        return self._parts.locked()

    def register(self, rows: Iterable[CatalogRow]) -> list[str]:
        """Add the videos that are not known yet; return their ids. Known ones stay as they are."""
        offered: dict[str, CatalogRow] = {}
        for row in rows:
            offered.setdefault(row.video_id, row)
        with self._parts.locked():
            known = self._parts.known(list(offered))
            fresh = [row for row in offered.values() if row.video_id not in known]
            if fresh:
                first = self._parts.listing().next_number
                numbered = [replace(row, number=first + i, when=row.when or now()) for i, row in enumerate(fresh)]
                self._parts.append(as_table(numbered), first + len(fresh))
        return [row.video_id for row in fresh]

    def update(self, video_ids: Sequence[str], change: Callable[[CatalogRow], CatalogRow]) -> None:
        """Change rows in one step; ``change`` is given each as it is and returns it as it shall be."""
        with self._parts.locked():
            before = as_rows(self._parts.select(video_ids))
            after = [replace(change(row), when=now()) for row in before]
            if any(new.video_id != old.video_id for new, old in zip(after, before, strict=True)):
                raise ValueError("a video keeps its id")
            if after:
                self._parts.append(as_table(after), self._parts.listing().next_number)

    def rows(self, video_ids: Sequence[str]) -> dict[str, CatalogRow]:
        """Return the rows of those of ``video_ids`` that are known."""
        return {row.video_id: row for row in as_rows(self._parts.select(video_ids))}

    def row(self, key: str) -> CatalogRow:
        """Return the row of one video.

        Raises:
            StageMissing: the catalog does not know the video.
        """
        found = self.rows([key])
        if key not in found:
            message = f"{key} is not in the catalog: list its source in sources.yaml and materialise video_catalog"
            raise StageMissing(message)
        return found[key]

    def known(self, video_ids: Sequence[str]) -> set[str]:
        """Return those of ``video_ids`` that are known."""
        return self._parts.known(video_ids)

    def table(self, columns: Sequence[str], states: Iterable[VideoState] | None = None) -> pa.Table:
        """Return columns of all rows, or of those in ``states``, in order of registration."""
        found = self._parts.table(list(dict.fromkeys([*columns, "state", "number"])))
        if states is not None:
            found = found.filter(pc.is_in(found["state"], pa.array(list(states), pa.string())))
        return found.sort_by("number").select(list(columns))


def register(store: Store, sources: Iterable[VideoSource]) -> list[str]:
    """Add sources that the catalog lacks; return the ids of all ``sources``, in their order, each once."""
    listed = {video_id(source): source for source in sources}
    rows = (CatalogRow(key, source.origin, source.origin) for key, source in listed.items())
    Catalog(store).register(rows)
    return list(listed)


def source_of(store: Store, key: str) -> VideoSource:
    """Return where a registered video comes from.

    Raises:
        StageMissing: the catalog does not know the video.
    """
    return source_of_row(Catalog(store).row(key))


def source_of_row(row: CatalogRow) -> VideoSource:
    """Return what a row says is to be fetched."""
    listed_by = row.source if row.source != row.origin else ""
    return parse_source(row.origin).model_copy(update={"listed_by": listed_by})


def mark_built(video: VideoStore, fingerprint: str) -> None:
    """Note the fingerprint of a finished video; does nothing where it is known or the video is not listed."""
    catalog = Catalog(video.store)
    row = catalog.rows([video.video_id]).get(video.video_id)
    if row is not None and (row.built != fingerprint or row.state in ASKABLE):
        change = functools.partial(replace, built=fingerprint, state=VideoState.FETCHED, next_try=None)
        catalog.update([video.video_id], change)


def registered(store: Store) -> list[str]:
    """Return the ids of all registered videos, in order of registration."""
    return list(Catalog(store).table(["video_id"])["video_id"].to_pylist())
