"""All region embeddings of a dataset in two memory-mapped files, searched exactly.

NumKong, USearch's kernels, compares a query with every region in 8-bit integers, which halves what has to be read from
memory, and the best are compared again in float16. The files lie in scratch, on local disk, and may be deleted at any
time. A new index copies the rows of videos that have not changed and appears whole, when ``index.json`` is placed.
"""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.array_files import map_npy
from models.errors import DamagedArrays
from models.extras import extra
from pipeline.contract.arrays import Floats
from pipeline.contract.errors import NoEmbeddings
from pipeline.contract.progress import Progress, counted, silent
from pipeline.language.text import SanText, cosine
from pipeline.stages.chain import finished
from pipeline.store.atomic import disk_errors
from pipeline.store.groups import SEMANTICS
from pipeline.store.rows import WITH_EMBEDDINGS, has_embeddings
from pipeline.store.store import Store

FOLDER = "regions.index"
"""Folder in scratch, of all videos together; no video id holds a dot."""

LARGEST = 0.5
"""Component of a unit vector that 127 stands for; larger ones are cut off in the first comparison."""

RECHECKED = 4
"""Regions compared again in float16, as a multiple of those asked for."""

ROWS_COMPARED = 250_000
"""Rows that a thread compares at once: 2 MB of scores."""

_ROWS_AT_ONCE = 65_536

_TYPES = (np.dtype(np.float16), np.dtype(np.int8))

_OWN_NAME = re.compile(r"[0-9a-f]{32}(-float16\.npy|-int8\.npy|\.part)")
"""What the index writes beside its table and its lock, and all that it deletes."""


class IndexedVideo(BaseModel):
    """The rows of one video in the index: ``count`` from ``first``, made of the regions with this fingerprint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video_id: str
    fingerprint: str
    first: int = Field(ge=0, lt=2**62)
    count: int = Field(ge=0, lt=2**62)


class IndexContent(BaseModel):
    """The content of ``index.json``: the files' common name, and the videos in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(pattern=r"[0-9a-f]{32}")
    videos: tuple[IndexedVideo, ...]


@dataclass(frozen=True)
class RegionHit:
    """A region that a query found: row of its video's ``region_embeddings``, and its cosine with the query."""

    video_id: str
    region: int
    score: float


class RegionIndex:
    """Embeddings (R, E) float16 of all regions and their 8-bit codes (R, E), both memory-mapped."""

    def __init__(
        self, videos: tuple[IndexedVideo, ...], embeddings: NDArray[np.float16], codes: NDArray[np.int8]
    ) -> None:
        self.videos = videos
        self.embeddings = embeddings
        self._codes = codes
        self._firsts = np.array([video.first for video in videos], np.int64)

    def __len__(self) -> int:
        return len(self.embeddings)

    def video_ids(self, only: str | None = None) -> list[str]:
        """Return the ids of the videos in the index, or just the one named.

        Raises:
            NoEmbeddings: the one named is not there.
        """
        ids = [video.video_id for video in self.videos]
        if only is not None and only not in ids:
            raise NoEmbeddings(f"{only} has no region embeddings: run all its stages, {WITH_EMBEDDINGS}")
        return ids if only is None else [only]

    def search(self, text: Floats, count: int, threads: int = 0) -> list[RegionHit]:
        """Return the ``count`` regions nearest to a unit vector (E,), best first; threads: 0 = one a core."""
        rows = np.sort(nearest_codes(self._codes, _codes_of(text), count * RECHECKED, threads))
        return self._hits(rows, cosine(self.embeddings[rows], text[None])[:, 0], count)

    def search_video(self, video_id: str, text: Floats, count: int) -> list[RegionHit]:
        """Return the ``count`` regions of one video nearest to a unit vector (E,), best first."""
        chosen = [video for video in self.videos if video.video_id == video_id]
        rows = np.concatenate([np.arange(0), *(np.arange(v.first, v.first + v.count) for v in chosen)])
        return self._hits(rows, cosine(self.embeddings[rows], text[None])[:, 0], count)

    def _hits(self, rows: NDArray[np.int64], scores: Floats, count: int) -> list[RegionHit]:
        best = np.argsort(-scores, kind="stable")[:count]
        places = np.searchsorted(self._firsts, rows[best], side="right") - 1
        found = zip(places.tolist(), rows[best].tolist(), scores[best].tolist(), strict=True)
        return [RegionHit(self.videos[i].video_id, row - self.videos[i].first, score) for i, row, score in found]


def nearest_codes(codes: NDArray[np.int8], text: NDArray[np.int8], count: int, threads: int = 0) -> NDArray[np.int64]:
    """Return the rows (up to ``count``) of codes (R, E) whose products with a text's (E,) are largest, in no order."""
    with extra("query", "asking a dataset in words"):
        from numkong import cdist

    def best_of(first: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        products = np.asarray(cdist(text[None], codes[first : first + ROWS_COMPARED], "dot"))[
            0
        ]  # lets other threads run
        best = _largest(products, count)
        return first + best, products[best]

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        found = list(pool.map(best_of, range(0, len(codes), ROWS_COMPARED)))
    rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in found)])
    return rows[_largest(np.concatenate([np.zeros(0), *(products for _, products in found)]), count)]


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return where the ``count`` largest of values (n,) are, in no order; all places where there are fewer."""
    return np.argpartition(-values, count)[:count] if count < len(values) else np.arange(len(values))


def open_index(store: Store, text: SanText, progress: Progress = silent) -> RegionIndex:
    """Return the index over all regions of a dataset, brought up to date.

    Raises:
        NoEmbeddings: no video has any region embedding.
        OtherWeights: some were made by other weights than the text side's.
    """
    wanted = _embedded_videos(store, text)
    with disk_errors():
        folder = store.make_scratch() / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "index.lock"):
            known = _known(folder)
            if known is None or {v.video_id: v.fingerprint for v in known.videos} != wanted:
                known = _rebuild(store, folder, wanted, known, progress)
            return open_files(folder, known)


def _embedded_videos(store: Store, text: SanText) -> dict[str, str]:
    """Return the fingerprint of the regions of every finished video that has embeddings."""
    made = {
        video_id: found["semantics"]
        for video_id in store.video_ids()
        if has_embeddings(video := store.video(video_id).as_it_is()) and (found := finished(video))
    }
    if not made:
        raise NoEmbeddings(
            f"no video of this dataset has region embeddings: run the stage 'semantics' again, {WITH_EMBEDDINGS}"
        )
    text.check_made({video_id: noted.weights for video_id, noted in made.items()})
    return {video_id: noted.fingerprint for video_id, noted in made.items()}


def _known(folder: Path) -> IndexContent | None:
    try:
        content = IndexContent.model_validate_json((folder / "index.json").read_bytes())
        rows = len(open_files(folder, content))
    except (OSError, ValueError, DamagedArrays):
        return None
    return content if rows == sum(video.count for video in content.videos) else None


def open_files(folder: Path, content: IndexContent) -> RegionIndex:
    """Map the files that ``write_files`` has written; raises ``DamagedArrays`` and ``OSError``."""
    embeddings, codes = (map_npy(path) for path in _files(folder, content.version))
    if embeddings.ndim != 2 or embeddings.shape != codes.shape or (embeddings.dtype, codes.dtype) != _TYPES:
        raise DamagedArrays(f"{folder} does not hold embeddings and their codes: delete it")
    return RegionIndex(content.videos, embeddings, codes)


def _files(folder: Path, version: str) -> tuple[Path, Path]:
    return folder / f"{version}-float16.npy", folder / f"{version}-int8.npy"


def _rebuild(
    store: Store, folder: Path, wanted: dict[str, str], known: IndexContent | None, progress: Progress
) -> IndexContent:
    """Write new files, placed by their table; what an earlier run left is deleted afterwards."""
    videos, first, width = [], 0, 0
    for video_id, fingerprint in wanted.items():
        count, width = _shape(store, video_id)
        videos.append(IndexedVideo(video_id=video_id, fingerprint=fingerprint, first=first, count=count))
        first += count
    content = IndexContent(version=uuid4().hex, videos=tuple(videos))
    earlier = open_files(folder, known) if known else None
    write_files(folder, content.version, (first, width), _blocks(store, content, earlier, progress))
    draft = folder / f"{content.version}.part"
    draft.write_text(content.model_dump_json(indent=1))
    draft.replace(folder / "index.json")
    for path in folder.iterdir():
        if _OWN_NAME.fullmatch(path.name) and not path.name.startswith(content.version):
            path.unlink()
    return content


def write_files(folder: Path, version: str, shape: tuple[int, int], blocks: Iterator[NDArray[np.float16]]) -> None:
    """Write embeddings of ``shape`` (R, E) and their codes from consecutive blocks of rows."""
    arrays = [
        open_memmap(path, "w+", dtype, shape)
        for path, dtype in zip(_files(folder, version), (np.float16, np.int8), strict=True)
    ]
    start = 0
    for block in blocks:
        rows = slice(start, start + len(block))
        arrays[0][rows], arrays[1][rows] = block, _codes_of(block)
        start = rows.stop
    for array in arrays:
        array.flush()


def _blocks(
    store: Store, content: IndexContent, earlier: RegionIndex | None, progress: Progress
) -> Iterator[NDArray[np.float16]]:
    known = {(video.video_id, video.fingerprint): video for video in (earlier.videos if earlier else ())}
    for video in counted(content.videos, progress, "index of words"):
        kept = known.get((video.video_id, video.fingerprint))
        for start in range(0, video.count, _ROWS_AT_ONCE):
            rows = slice(start, min(start + _ROWS_AT_ONCE, video.count))
            if earlier and kept:
                yield earlier.embeddings[kept.first + rows.start : kept.first + rows.stop]
            else:
                yield store.video(video.video_id).read(SEMANTICS, "region_embeddings", rows)


def _shape(store: Store, video_id: str) -> tuple[int, int]:
    video = store.video(video_id)
    metadata = video.read_json("scene.zarr/semantics/region_embeddings/zarr.json")
    count, width = metadata["shape"]
    return int(count), int(width)


def _codes_of(vectors: NDArray[np.floating]) -> NDArray[np.int8]:
    levels = np.rint(np.clip(np.asarray(vectors, np.float32) / LARGEST, -1, 1) * 127)
    return np.asarray(levels, np.int8)
