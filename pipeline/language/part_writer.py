"""Writes a part of the index of regions from rows of an earlier version of it and from the store."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from pipeline.language.index_part import IndexPart, RegionKind, array_paths, is_full, place_table, table_path
from pipeline.language.nearest import codes_of
from pipeline.stages.chain import finished, made_by
from pipeline.store.atomic import flush
from pipeline.store.groups import SCENE_ZARR, SEMANTICS
from pipeline.store.provenance import Provenance, mark
from pipeline.store.rows import has_embeddings
from pipeline.store.video import VideoStore

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class StoredRegions:
    """The regions of a finished video, as its notes tell: ``count`` of one kind, of width 0 without embeddings."""

    video: VideoStore
    mark: int
    made: Provenance
    kind: RegionKind
    count: int

    @classmethod
    def of(cls, video: VideoStore) -> Self | None:
        """Look at a video; None where it is not finished."""
        video = video.as_it_is()
        made = finished(video)
        if made is None:
            return None
        count, width = 0, 0
        if has_embeddings(video):
            count, width = video.read_json(f"{SCENE_ZARR}/{SEMANTICS}/region_embeddings/zarr.json")["shape"]
        kind = RegionKind(width, tuple(sorted(made[SEMANTICS].weights.items())) if width else ())
        return cls(video, mark(made.values()), made[SEMANTICS], kind, count)

    @property
    def regions_mark(self) -> int:
        """What tells these regions from all others of the video."""
        return mark([self.made])

    def row(self) -> dict[str, Any]:
        """Return what the table of a part says of them."""
        noted = {"mark": self.mark, "regions_mark": self.regions_mark, "regions": self.count}
        return {"video_id": self.video.video_id, **noted}


class PartWriter(contextlib.AbstractContextManager["PartWriter"]):
    """A version of a part in the making; what is not placed inside the block is deleted when it ends.

    replaces: the version that it takes the place of, if there is one.
    """

    def __init__(self, folder: Path, number: int, kind: RegionKind, replaces: IndexPart | None = None) -> None:
        self._folder, self._number, self._kind, self._replaces = folder, number, kind, replaces
        self._version, self._rows, self._count = uuid4().hex, list[dict[str, Any]](), 0
        self._paths = array_paths(folder, self._version) if kind.width else ()
        self._files = [path.open("wb") for path in self._paths]

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            with contextlib.suppress(OSError):  # of what is deleted next
                file.close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def is_full(self) -> bool:
        """Tell whether no more videos belong into it."""
        return is_full(len(self._rows), self._count)

    def keep_all(self, part: IndexPart) -> None:
        """Take over a whole part."""
        self._write(part.embeddings, part.codes)
        self._rows += part.videos.to_pylist()

    def keep(self, part: IndexPart, place: int, row: dict[str, Any]) -> None:
        """Take over the video at a place in the table of a part, with what this one's table says of it."""
        rows = slice(part.firsts[place], part.firsts[place + 1])
        self._write(part.embeddings[rows], part.codes[rows])
        self._rows.append(row)

    def append(self, row: dict[str, Any], embeddings: NDArray[np.float16]) -> None:
        """Add a video with its embeddings (R, E), and what the table says of it."""
        self._write(embeddings, codes_of(embeddings))
        self._rows.append(row)

    def add(self, regions: StoredRegions) -> None:
        """Copy the regions of a video from the store; one that is being made again meanwhile stays out."""
        video, before = regions.video, self._count
        for start in range(0, regions.count if self._files else 0, _ROWS_AT_ONCE):
            rows = slice(start, min(start + _ROWS_AT_ONCE, regions.count))
            block = np.asarray(video.read(SEMANTICS, "region_embeddings", rows), np.float16)
            self._write(block, codes_of(block))
        if self._count - before == regions.count and made_by(video, SEMANTICS) == regions.made:
            self._rows.append(regions.row())
        else:
            self._back_to(before)

    def place(self) -> IndexPart | None:
        """Let it take its place, whole; a part without videos is none, and takes the earlier one away."""
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
        if self._rows:
            placed = place_table(self._folder, self._number, self._version, self._kind, self._rows)
            self._paths = ()
        else:
            placed = None
            table_path(self._folder, self._number).unlink(missing_ok=True)
            flush(self._folder)
        if self._replaces is not None:
            for path in array_paths(self._folder, self._replaces.version):
                path.unlink(missing_ok=True)
        return placed

    def _write(self, embeddings: NDArray[np.float16], codes: NDArray[np.int8]) -> None:
        for file, block in zip(self._files, (embeddings, codes), strict=False):
            file.write(np.ascontiguousarray(block).data)
        self._count += len(codes)

    def _back_to(self, count: int) -> None:
        self._count = count
        for file, size in zip(self._files, (2, 1), strict=False):
            file.seek(count * self._kind.width * size)
            file.truncate()
