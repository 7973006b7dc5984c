"""Brings the index of regions up to date: only parts with a video that came, went or changed are written.

New videos go into the last part until it is full, so that parts are blocks of videos in the order in which they came; a
video that changed stays in its part. Which changed is told by marks that the last refresh of the dataset left; only
videos without one, or with another one than the index has, are looked at themselves.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract.progress import Progress
from pipeline.dataset.marks import known_marks
from pipeline.language.index_part import (
    SCHEMA,
    IndexPart,
    RegionKind,
    delete_all_but,
    place_table,
    read_parts,
)
from pipeline.language.part_writer import PartWriter, StoredRegions
from pipeline.language.text import SanText
from pipeline.store.store import Store

TASK = "index of words"

AT_ONCE = 1000
"""New videos that are looked at before the first of them is copied: strange weights are told before that."""


@dataclass(frozen=True)
class Differences:
    """Videos that may not be in the index as they are in the store.

    suspects, gone: which of all videos of the index (V,) are to be looked at, and have no folder any more. new: ids of
    others that are to be looked at.
    """

    suspects: NDArray[np.bool_]
    gone: NDArray[np.bool_]
    new: pa.Array

    @classmethod
    def between(cls, store: Store, parts: Sequence[IndexPart]) -> "Differences":
        """Compare the videos that have a folder with parts of the index; none of them is looked at."""
        there, known = pa.array(store.video_ids(), pa.string()), known_marks(store)
        stored = pa.concat_tables([SCHEMA.empty_table(), *(part.videos for part in parts)]).combine_chunks()
        held = stored["video_id"].combine_chunks()
        wanted = known["mark"].take(pc.index_in(there, known["video_id"].combine_chunks()))
        found = pc.fill_null(stored["mark"].take(pc.index_in(there, held)), 0)  # 0 is the mark of one not finished
        suspects = there.filter(pc.invert(pc.fill_null(pc.equal(wanted, found), False)))
        return cls(
            pc.is_in(held, suspects).to_numpy(zero_copy_only=False),
            pc.invert(pc.is_in(held, there)).to_numpy(zero_copy_only=False),
            suspects.filter(pc.invert(pc.is_in(suspects, held))),
        )


def updated_parts(store: Store, folder: Path, text: SanText, progress: Progress) -> list[IndexPart]:
    """Return the parts of the index over all finished videos, written as far as anything changed.

    The caller holds the index. Killed at any moment, what has been placed holds, and the rest is done next time.

    Raises:
        OtherWeights: some regions were made by other weights than the text side's.
    """
    parts = _without_twins(read_parts(folder))
    delete_all_but(folder, parts)
    found = Differences.between(store, parts)
    ends = np.cumsum([part.videos.num_rows for part in parts])[:-1]
    by_part = list(zip(parts, np.split(found.suspects, ends), np.split(found.gone, ends), strict=True)) if parts else []
    _check_unchanged(by_part, text)
    looked_at = int(found.suspects.sum()) + len(found.new)
    with _Update(store, folder, text, parts, looked_at, progress) as update:
        for part, suspects, gone in by_part:
            if suspects.any() or gone.any():
                update.rewrite(part, suspects, gone)
        update.add(found.new)
        return update.placed()


def _without_twins(parts: list[IndexPart]) -> list[IndexPart]:
    """Return the parts, none where a video is in two of them: that is nothing that was written here."""
    ids = pa.chunked_array([part.videos["video_id"].combine_chunks() for part in parts], pa.string())
    return parts if len(pc.unique(ids)) == len(ids) else []


def _check_unchanged(by_part: Iterable[tuple[IndexPart, NDArray[np.bool_], NDArray[np.bool_]]], text: SanText) -> None:
    """Make sure that what stays in the index was made by the text side's weights, before anything is written."""
    strange: dict[str, dict[str, str]] = {}
    for part, suspects, gone in by_part:
        stays = ~(suspects | gone)
        if part.kind.width and stays.any() and not text.is_of(dict(part.kind.weights)):
            ids = part.videos["video_id"].filter(pa.array(stays)).to_pylist()
            strange.update({video_id: dict(part.kind.weights) for video_id in ids})
    if strange:
        text.check_made(strange)


class _Update(contextlib.ExitStack):
    """Parts that are being written; of those that were not placed, nothing is left when the block ends."""

    def __init__(
        self, store: Store, folder: Path, text: SanText, parts: Sequence[IndexPart], total: int, progress: Progress
    ) -> None:
        super().__init__()
        self._store, self._folder, self._text = store, folder, text
        self._progress, self._done, self._total = progress, 0, total
        self._parts = {part.number: part for part in parts}
        self._next = max(self._parts, default=-1) + 1
        self._open, self._with_room = dict[RegionKind, tuple[int, PartWriter]](), dict[RegionKind, IndexPart]()
        self._moved = list[str]()

    def rewrite(self, part: IndexPart, suspects: NDArray[np.bool_], gone: NDArray[np.bool_]) -> None:
        """Write a part anew, where videos of it are not what they were."""
        rows, places = part.videos.to_pylist(), np.flatnonzero(suspects).tolist()
        seen = self._look_at([rows[place]["video_id"] for place in places])
        stays = {place: rows[place] for place in np.flatnonzero(~(suspects | gone)).tolist()}
        for place in places:
            found = seen.get(rows[place]["video_id"])
            if found is not None and found.kind == part.kind:
                stays[place] = found.row()
            elif found is not None:
                self._moved.append(found.video.video_id)
        after = [stays[place] for place in sorted(stays)]
        if after == rows:
            return
        is_kept = {place for place, row in stays.items() if row["regions_mark"] == rows[place]["regions_mark"]}
        if len(is_kept) == len(rows):
            self._set(part.number, place_table(self._folder, part.number, part.version, part.kind, after))
            return
        with PartWriter(self._folder, part.number, part.kind, part) as writer:
            for place in sorted(stays):
                if place in is_kept:
                    writer.keep(part, place, stays[place])
                else:
                    writer.add(seen[rows[place]["video_id"]])
            self._set(part.number, writer.place())

    def add(self, new: pa.Array) -> None:
        """Add videos that are in no part, and those that belong into another one than they were in."""
        self._total += len(self._moved)
        self._with_room = {part.kind: part for _, part in sorted(self._parts.items()) if not part.is_full()}
        for video_ids in (new, pa.array(self._moved, pa.string())):
            for start in range(0, len(video_ids), AT_ONCE):
                for regions in self._look_at(video_ids.slice(start, AT_ONCE).to_pylist()).values():
                    self._add(regions)

    def placed(self) -> list[IndexPart]:
        """Place what is begun; return all parts in the order of their numbers."""
        for kind in list(self._open):
            self._end(kind)
        if self._total:
            self._progress(TASK, self._total, self._total)
        return [self._parts[number] for number in sorted(self._parts)]

    def _look_at(self, video_ids: Sequence[str]) -> dict[str, StoredRegions]:
        """Return what is stored of those that are finished; raises ``OtherWeights``."""
        seen = dict[str, StoredRegions]()
        for video_id in video_ids:
            self._progress(TASK, self._done, self._total)
            found = StoredRegions.of(self._store.video(video_id))
            if found is not None:
                seen[video_id] = found
            self._done += 1
        weights = {key: found.made.weights for key, found in seen.items() if found.kind.width}
        if weights:
            self._text.check_made(weights)
        return seen

    def _add(self, regions: StoredRegions) -> None:
        if regions.kind not in self._open:
            self._begin(regions.kind)
        _, writer = self._open[regions.kind]
        writer.add(regions)
        if writer.is_full():
            self._end(regions.kind)

    def _begin(self, kind: RegionKind) -> None:
        """Go on with the last part of a kind that has room, or begin one."""
        earlier = self._with_room.pop(kind, None)
        number = self._next if earlier is None else earlier.number
        self._next += earlier is None
        writer = self.enter_context(PartWriter(self._folder, number, kind, earlier))
        if earlier is not None:
            writer.keep_all(earlier)
        self._open[kind] = number, writer

    def _end(self, kind: RegionKind) -> None:
        number, writer = self._open.pop(kind)
        self._set(number, writer.place())

    def _set(self, number: int, part: IndexPart | None) -> None:
        if part is None:
            self._parts.pop(number, None)
        else:
            self._parts[number] = part
