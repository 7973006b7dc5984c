"""All region embeddings of a dataset in parts of some videos each, memory-mapped and searched exactly.

The parts lie in scratch, on local disk, and may be deleted at any time. One is written when a video of it came, went or
changed (``index_update``), and appears whole (``index_part``). A query goes through the 8-bit codes of all of them
(``nearest``), and the best are compared again in float16.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.errors import NoEmbeddings
from pipeline.contract.progress import Progress, silent
from pipeline.language.index_part import IndexPart
from pipeline.language.index_update import updated_parts
from pipeline.language.nearest import codes_of, nearest_codes
from pipeline.language.text import SanText, cosine
from pipeline.store.atomic import disk_errors
from pipeline.store.rows import WITH_EMBEDDINGS
from pipeline.store.store import Store

FOLDER = "regions.index"
"""Folder in scratch, of all videos together; no video id holds a dot."""

RECHECKED = 4
"""Regions compared again in float16, as a multiple of those asked for."""


@dataclass(frozen=True)
class RegionHit:
    """A region that a query found: row of its video's ``region_embeddings``, and its cosine with the query."""

    video_id: str
    region: int
    score: float


class RegionIndex:
    """Embeddings (R, E) float16 of all regions and their 8-bit codes, memory-mapped, in parts.

    Rows are counted through all parts; of every video there are its id and its first row, in arrays.
    """

    def __init__(self, parts: Sequence[IndexPart]) -> None:
        self.parts = tuple(part for part in parts if part.kind.width)
        self._starts = np.concatenate([[0], np.cumsum([len(part.codes) for part in self.parts])]).astype(np.int64)
        firsts = [start + part.firsts[:-1] for start, part in zip(self._starts, self.parts, strict=False)]
        self._firsts = np.concatenate([np.zeros(0, np.int64), *firsts])
        ids = [part.videos["video_id"].combine_chunks() for part in self.parts]
        self._ids = pa.concat_arrays([pa.array([], pa.string()), *ids])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def video_ids(self, only: str | None = None) -> list[str]:
        """Return the ids of the videos in the index, sorted, or just the one named.

        Raises:
            NoEmbeddings: the one named is not there.
        """
        if only is None:
            return sorted(self._ids.to_pylist())
        if self._place(only) is None:
            raise NoEmbeddings(f"{only} has no region embeddings: run all its stages, {WITH_EMBEDDINGS}")
        return [only]

    def search(self, text: Floats, count: int, threads: int = 0) -> list[RegionHit]:
        """Return the ``count`` regions nearest to a unit vector (E,), best first; threads: 0 = one a core."""
        rows = nearest_codes([part.codes for part in self.parts], codes_of(text), count * RECHECKED, threads)
        return self._hits(rows, text, count)

    def search_video(self, video_id: str, text: Floats, count: int) -> list[RegionHit]:
        """Return the ``count`` regions of one video nearest to a unit vector (E,), best first."""
        place, ends = self._place(video_id), np.append(self._firsts, len(self))
        rows = np.arange(0) if place is None else np.arange(ends[place], ends[place + 1])
        return self._hits(rows, text, count)

    def embeddings(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return some rows (n, E), which are given in rising order."""
        ends, found = np.searchsorted(rows, self._starts), []
        for part, start, first, last in zip(self.parts, self._starts, ends, ends[1:], strict=False):
            if first < last:
                found.append(part.embeddings[rows[first:last] - start])
        return np.concatenate(found) if found else np.zeros((0, 0), np.float16)

    def _place(self, video_id: str) -> int | None:
        place = pc.index(self._ids, video_id).as_py()
        return None if place < 0 else int(place)

    def _hits(self, rows: NDArray[np.int64], text: Floats, count: int) -> list[RegionHit]:
        if not rows.size:
            return []
        scores = cosine(self.embeddings(rows), text[None])[:, 0]
        best = np.argsort(-scores, kind="stable")[:count]
        places = np.searchsorted(self._firsts, rows[best], side="right") - 1
        found = zip(places.tolist(), (rows[best] - self._firsts[places]).tolist(), scores[best].tolist(), strict=True)
        return [RegionHit(self._ids[place].as_py(), region, score) for place, region, score in found]


def open_index(store: Store, text: SanText, progress: Progress = silent) -> RegionIndex:
    """Return the index over all regions of a dataset, brought up to date.

    Processes take turns by a lock in scratch, which is a folder of this machine, or one that machines share together
    with the data. What has been opened stays as it was while others write.

    Raises:
        NoEmbeddings: no video has any region embedding.
        OtherWeights: some were made by other weights than the text side's.
    """
    folder, index = store.scratch / FOLDER, RegionIndex([])
    if folder.is_dir() or store.video_ids():  # nothing is made beside a dataset that is not there
        with disk_errors():
            store.make_scratch()
            folder.mkdir(exist_ok=True)
            with FileLock(folder / "index.lock"):
                index = RegionIndex(updated_parts(store, folder, text, progress))
    if not index.parts:
        raise NoEmbeddings(
            f"no video of this dataset has region embeddings: run the stage 'semantics' again, {WITH_EMBEDDINGS}"
        )
    return index
