"""Writes one Zarr v3 group on local disk, row by row: one frame a chunk, many chunks a shard."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.store.contents import GROUP_METADATA, LISTED, contents
from pipeline.store.description import axes

if TYPE_CHECKING:
    import zarr

CHUNKS_PER_SHARD = 64
"""Chunks a file: a video of 200 frames is four files an array, and at most 64 frames wait in memory."""


class GroupWriter:
    """Collects rows of named arrays; the number of rows need not be known beforehand.

    attributes: what the group says of itself; may be filled until ``close``.
    """

    def __init__(self, folder: Path, attributes: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self.attributes: dict[str, Any] = dict(attributes or {})
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self._waiting: dict[str, list[NDArray[Any]]] = {}

    def append(self, name: str, rows: NDArray[Any], rows_per_chunk: int = 1) -> None:
        """Append ``rows`` (n, ...) to the array ``name``; dtype and trailing shape are those of its first rows.

        rows_per_chunk: 1 for pictures and maps; more where a row is small and rows are read together.

        Raises:
            ValueError: the trailing shape differs from that of earlier rows.
        """
        if name not in self._arrays:
            self._arrays[name] = self._create(name, rows, rows_per_chunk)
            self._waiting[name] = []
        array = self._arrays[name]
        if rows.shape[1:] != array.shape[1:]:
            message = f"rows of {name} have shape {rows.shape[1:]}, earlier ones {array.shape[1:]}"
            raise ValueError(message)
        self._waiting[name].extend(rows.astype(array.dtype, copy=False))
        while len(self._waiting[name]) >= rows_per_chunk * CHUNKS_PER_SHARD:
            self._flush(name, rows_per_chunk * CHUNKS_PER_SHARD)

    def close(self) -> None:
        """Write what is waiting, then the group's metadata, which lists all files."""
        for name, waiting in self._waiting.items():
            self._flush(name, len(waiting))
        attributes = {**self.attributes, LISTED: contents(self.folder)}
        metadata = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        (self.folder / GROUP_METADATA).write_text(json.dumps(metadata, indent=1))

    def _create(self, name: str, rows: NDArray[Any], rows_per_chunk: int) -> "zarr.Array[Any]":
        import zarr
        from zarr.codecs import ZstdCodec

        trailing = rows.shape[1:]
        return zarr.create_array(
            store=zarr.storage.LocalStore(self.folder / name),
            shape=(0, *trailing),
            chunks=(rows_per_chunk, *trailing),
            shards=(rows_per_chunk * CHUNKS_PER_SHARD, *trailing),
            dtype=rows.dtype,
            compressors=ZstdCodec(level=3),
            fill_value=0,
            dimension_names=axes(name, rows.ndim),
            config={"write_empty_chunks": True},  # else rows of zeros had no file, as lost ones have none
        )

    def _flush(self, name: str, count: int) -> None:
        if count == 0:
            return
        array, waiting = self._arrays[name], self._waiting[name]
        start = array.shape[0]
        array.resize((start + count, *array.shape[1:]))
        array[start:] = np.stack(waiting[:count])
        del waiting[:count]
