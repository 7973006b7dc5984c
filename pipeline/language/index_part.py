"""A part of the index of regions: some videos, their embeddings and 8-bit codes, in three files.

``<number>.parquet`` is the table of its videos. It names the two others, ``<version>.float16`` and ``<version>.int8``,
which hold nothing but rows; a new version of a part appears whole, when its table is placed.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.errors import DamagedArrays
from models.json_text import parsed_json
from pipeline.store.atomic import flush

SCHEMA = pa.schema(
    [("video_id", pa.string()), ("mark", pa.uint64()), ("regions_mark", pa.uint64()), ("regions", pa.int64())]
)
"""``mark``: of the results of all stages (``provenance.mark``). ``regions_mark``: of the regions alone."""

VIDEOS_A_PART = 1000
"""Videos that fill a part."""

ROWS_A_PART = 262_144
"""Regions that fill a part, of how many videos they are: 400 MB at 512 numbers each."""

_TABLE = re.compile(r"([0-9]{6,9})\.parquet")
_VERSION = "[0-9a-f]{32}"
_OWN = re.compile(rf"({_VERSION})\.(float16|int8|draft)")
_EARLIER = re.compile(r"index\.json|[0-9a-f]{32}(-float16\.npy|-int8\.npy|\.part)")
"""What indexes of earlier releases, which had one part, consist of."""


@dataclass(frozen=True)
class RegionKind:
    """What the regions of a part have in common: numbers a region, 0 without embeddings, and the weights' SHA-256."""

    width: int
    weights: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class IndexPart:
    """A part as it is stored.

    version: of its arrays. videos: a table of ``SCHEMA``. embeddings, codes: (R, E), memory-mapped, without an open
    file; they stay when the files are deleted.
    """

    number: int
    version: str
    kind: RegionKind
    videos: pa.Table
    embeddings: NDArray[np.float16]
    codes: NDArray[np.int8]

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """First row of every video (V + 1,), and the end."""
        return np.concatenate([[0], np.cumsum(self.videos["regions"].to_numpy())]).astype(np.int64)

    def is_full(self) -> bool:
        """Tell whether no more videos belong into it."""
        return is_full(self.videos.num_rows, len(self.codes))

    @classmethod
    def read(cls, folder: Path, number: int) -> Self:
        """Map a part.

        Raises:
            OSError: a file of it cannot be opened.
            DamagedArrays: its files are not what was written.
        """
        path = table_path(folder, number)
        try:
            videos = pq.read_table(pa.BufferReader(path.read_bytes()), page_checksum_verification=True)
            videos.validate(full=True)
            noted = {key.decode(): value.decode() for key, value in (videos.schema.metadata or {}).items()}
            kind = RegionKind(int(noted["width"]), _weights(noted["weights"]))
        except (pa.ArrowException, ValueError, LookupError, TypeError, AttributeError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedArrays(f"{path} does not read back as a part of the index: {error}") from error
        if not videos.schema.equals(SCHEMA) or any(column.null_count for column in videos.columns):
            raise DamagedArrays(f"{path} is no table of the videos of a part of the index")
        version, videos = _version(path, noted), videos.replace_schema_metadata()
        shape = _shape(path, videos["regions"].to_numpy(), kind.width)
        embeddings, codes = array_paths(folder, version)
        arrays = _mapped(embeddings, np.dtype(np.float16), shape), _mapped(codes, np.dtype(np.int8), shape)
        return cls(number, version, kind, videos, *arrays)


def is_full(videos: int, rows: int) -> bool:
    """Tell whether no more videos belong into a part of so many videos and rows."""
    return videos >= VIDEOS_A_PART or rows >= ROWS_A_PART


def table_path(folder: Path, number: int) -> Path:
    """Return where the table of a part lies."""
    return folder / f"{number:06d}.parquet"


def array_paths(folder: Path, version: str) -> tuple[Path, Path]:
    """Return where the rows of a part lie: float16, and 8-bit."""
    return folder / f"{version}.float16", folder / f"{version}.int8"


def place_table(
    folder: Path, number: int, version: str, kind: RegionKind, rows: Sequence[Mapping[str, Any]]
) -> IndexPart:
    """Write the table of a part's videos, given as rows of ``SCHEMA``, with which these rows are the part.

    Its arrays have reached the disk before: what the table says holds after a power cut, too.
    """
    noted = {"version": version, "width": str(kind.width), "weights": json.dumps(kind.weights)}
    table = pa.Table.from_pylist(list(rows), SCHEMA.with_metadata(noted))
    draft = folder / f"{version}.draft"
    try:
        pq.write_table(table, draft, compression="zstd", write_page_checksum=True)
        flush(draft)
        draft.replace(table_path(folder, number))
    finally:
        draft.unlink(missing_ok=True)
    flush(folder)
    return IndexPart.read(folder, number)


def read_parts(folder: Path) -> list[IndexPart]:
    """Return the parts in a folder that are whole, in the order of their numbers."""
    numbers = sorted(int(found[1]) for path in folder.iterdir() if (found := _TABLE.fullmatch(path.name)))
    parts = []
    for number in numbers:
        try:
            parts.append(IndexPart.read(folder, number))
        except (FileNotFoundError, DamagedArrays):
            continue
    return parts


def delete_all_but(folder: Path, parts: Iterable[IndexPart]) -> None:
    """Delete what the index wrote and needs no more, also of earlier releases; nothing of another name."""
    tables, versions = set[int](), set[str]()
    for part in parts:
        tables.add(part.number)
        versions.add(part.version)
    for path in folder.iterdir():
        table, rows = _TABLE.fullmatch(path.name), _OWN.fullmatch(path.name)
        is_unused = (table and int(table[1]) not in tables) or (rows and rows[1] not in versions)
        if is_unused or _EARLIER.fullmatch(path.name):
            path.unlink()


def _version(path: Path, noted: Mapping[str, str]) -> str:
    version = noted.get("version", "")
    if not re.fullmatch(_VERSION, version):
        raise DamagedArrays(f"{path} does not name the rows of its part of the index")
    return version


def _weights(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(digest)) for name, digest in parsed_json(text))


def _shape(path: Path, counts: NDArray[np.int64], width: int) -> tuple[int, int]:
    if width < 0 or width >= 2**16 or (counts < 0).any() or (counts >= 2**40).any():
        raise DamagedArrays(f"{path} tells of parts that nobody wrote")
    return int(counts.sum()), width


def _mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Map rows into memory; NumPy would keep the file open, and there may be thousands."""
    if not all(shape):
        return np.zeros(shape, dtype)
    size = shape[0] * shape[1] * dtype.itemsize
    if path.stat().st_size != size:
        raise DamagedArrays(f"{path} does not hold {shape[0]} rows of {shape[1]} numbers")
    with pa.memory_map(str(path)) as file:
        return np.frombuffer(file.read_buffer(size), dtype).reshape(shape)
