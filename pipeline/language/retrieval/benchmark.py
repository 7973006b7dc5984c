"""The files of a retrieval benchmark, after POP-3D's (Vobecky et al., NeurIPS 2023): text, frame, voxel mask, split.

``queries.csv`` has one row a query: ``text,video_id,frame_index,split,kind,label``; frames are counted in the video,
not in a dataset. kind and label may be missing: what the text goes by, and the class of what it means.

``masks.npz`` has one row a query, in the same order:

* ``grid_from_camera`` (Q, 4, 4) float64, from the frame's camera (x right, y down, z forward) to metres from the corner
  of voxel (0, 0, 0): a grid that needs no world
* ``occupied`` (Q, 60, 60, 36) bool, the voxels to be ranked
* ``visible`` (Q, 60, 60, 36) bool, those of them that the frame itself sees
* ``mask`` (Q, 60, 60, 36) bool, those of them that the text means
"""

import csv
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.array_files import read_npz
from models.errors import DamagedArrays
from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.contract.errors import BrokenRetrievalSet
from pipeline.contract.grid import GRID_SHAPE
from pipeline.store.atomic import replacing

QUERIES, MASKS = "queries.csv", "masks.npz"
MOST_QUERIES = 10_000

Kind = Literal["class", "look", "place", "other"]
"""What a text goes by: a class ("a sofa"), colour or material ("a red sofa"), what stands beside it, or anything."""
KINDS: tuple[Kind, ...] = get_args(Kind)
_LABEL = "|".join(label.name.lower() for label in OCCUPIED_CLASSES)
_HEADER_BYTES = 4096
_SHAPES = {"grid_from_camera": (4, 4), "occupied": GRID_SHAPE, "visible": GRID_SHAPE, "mask": GRID_SHAPE}


class RetrievalQuery(BaseModel):
    """A text about one frame of a video; label: the class of what it means, in lower case, or nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1, max_length=300)
    video_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    frame_index: int = Field(ge=0)
    split: str = Field(pattern=r"^[a-z]{1,16}$")
    kind: Kind = "other"
    label: str = Field("", pattern=f"^({_LABEL})?$")


@dataclass(frozen=True)
class Benchmark:
    """Queries and, in the same order, their grids: arrays as in the description of the files."""

    queries: tuple[RetrievalQuery, ...]
    grid_from_camera: NDArray[np.float64]
    occupied: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    mask: NDArray[np.bool_]


def write_benchmark(folder: Path, benchmark: Benchmark) -> None:
    """Write a benchmark into a folder, the queries last.

    Raises:
        BrokenRetrievalSet: files of these names are there that are no part of a benchmark; they stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check_own(folder)
    arrays = BytesIO()
    np.savez_compressed(arrays, allow_pickle=False, **{name: getattr(benchmark, name) for name in _SHAPES})
    _place(folder / MASKS, arrays.getvalue())
    rows = "\n".join(_line(query) for query in benchmark.queries)
    _place(folder / QUERIES, f"{','.join(RetrievalQuery.model_fields)}\n{rows}\n".encode())


def read_benchmark(folder: Path) -> Benchmark:
    """Read a benchmark.

    Raises:
        BrokenRetrievalSet: a file is missing or is not what it should be; says which and what.
    """
    queries = _read_queries(folder / QUERIES)
    arrays = _read_masks(folder / MASKS, len(queries))
    strange = ~(arrays["mask"] <= arrays["occupied"]).all(axis=(1, 2, 3))
    strange |= ~(arrays["visible"] <= arrays["occupied"]).all(axis=(1, 2, 3))
    strange |= ~arrays["mask"].any(axis=(1, 2, 3))
    strange |= ~_rigid(arrays["grid_from_camera"])
    if strange.any():
        first = queries[int(strange.argmax())]
        raise BrokenRetrievalSet(
            f"{folder / MASKS}: the masks of {first.text!r} ({first.video_id}, frame {first.frame_index}) are empty, "
            "leave the occupied voxels, or lie on no rigid grid"
        )
    return Benchmark(tuple(queries), **{name: arrays[name] for name in _SHAPES})


def _read_queries(path: Path) -> list[RetrievalQuery]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            queries = [RetrievalQuery.model_validate(row) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BrokenRetrievalSet(f"cannot read {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BrokenRetrievalSet(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not 0 < len(queries) <= MOST_QUERIES:
        raise BrokenRetrievalSet(f"{path} holds {len(queries)} queries; from 1 to {MOST_QUERIES} are read")
    return queries


def _read_masks(path: Path, count: int) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        for name, shape in _SHAPES.items():
            most = count * math.prod(shape) * (8 if shape == (4, 4) else 1) + _HEADER_BYTES
            if sizes.get(f"{name}.npy", most + 1) > most:
                raise BrokenRetrievalSet(f"{path}: {name} is missing, or too large for {count} queries")
        arrays = read_npz(path)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, DamagedArrays) as error:
        raise BrokenRetrievalSet(f"cannot read {path}: {error}") from error
    for name, shape in _SHAPES.items():
        wanted = np.float64 if shape == (4, 4) else np.bool_
        if arrays[name].shape != (count, *shape) or arrays[name].dtype != wanted:
            found = f"{arrays[name].shape} {arrays[name].dtype}"
            raise BrokenRetrievalSet(f"{path}: {name} is {found}, not {(count, *shape)} {np.dtype(wanted)}")
    return arrays


def _rigid(matrices: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Tell which of (Q, 4, 4) are rigid motions."""
    given = np.asarray(matrices, np.float64)
    turns = given[:, :3, :3]
    upright = np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2)) < 1e-3
    rigid: NDArray[np.bool_] = upright & (given[:, 3] == (0, 0, 0, 1)).all(axis=1) & np.isfinite(given).all(axis=(1, 2))
    return rigid


def _line(query: RetrievalQuery) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(query.model_dump().values())
    return line.getvalue()


def _check_own(folder: Path) -> None:
    """Make sure that what is to be replaced is a benchmark's."""
    queries, masks = folder / QUERIES, folder / MASKS
    try:
        own = not queries.exists() or queries.read_text().startswith("text,video_id,frame_index,split")
        if masks.exists():
            with zipfile.ZipFile(masks) as archive:
                own = own and {f"{name}.npy" for name in _SHAPES} == {*archive.namelist()}
    except (OSError, ValueError, zipfile.BadZipFile):
        own = False
    if not own:
        raise BrokenRetrievalSet(f"{folder} holds a {QUERIES} or {MASKS} of something else: name another folder")


def _place(path: Path, content: bytes) -> None:
    with replacing(path) as draft:
        draft.write_bytes(content)


def stack(rows: Sequence[Benchmark]) -> Benchmark:
    """Put benchmarks behind one another; there is at least one."""
    queries = tuple(query for benchmark in rows for query in benchmark.queries)
    arrays = {name: np.concatenate([getattr(benchmark, name) for benchmark in rows]) for name in _SHAPES}
    return Benchmark(queries, **arrays)


def chosen(benchmark: Benchmark, rows: Sequence[int]) -> Benchmark:
    """Return some queries with their grids."""
    arrays = {name: getattr(benchmark, name)[list(rows)] for name in _SHAPES}
    return Benchmark(tuple(benchmark.queries[row] for row in rows), **arrays)
