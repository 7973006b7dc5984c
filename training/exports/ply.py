"""PLY: a cloud a world, metric, z up, with colour and class of every point.

A world is a clip, or clips that were joined; other clips of a video share no frame with it.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.store.frames import FrameReader
from training.exports.chosen import ExportPiece, by_world
from training.exports.encoded import cloud_of

SPACING = 0.01
"""Metres; of the points in one cube of that size the first is written."""

MOST_WAITING = 2_000_000
"""Points, 16 bytes each, that wait to be thinned."""

_VERTEX = np.dtype(
    [
        *((axis, "<f4") for axis in "xyz"),
        *((colour, "u1") for colour in ("red", "green", "blue")),
        ("label", "u1"),
    ]
)
_TYPES = {"<f4": "float", "|u1": "uchar"}


class Ply:
    """The format."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return a file for every world."""
        return [ExportPiece(f"{piece.path}.ply", piece.rows) for piece in by_world(rows)]

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write the cloud of a world."""
        write_points(piece, reader, draft)

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return nothing: the format has no further files."""
        del rows
        return {}


def write_points(piece: ExportPiece, reader: FrameReader, path: Path) -> None:
    """Write the points of all frames of a world to a binary PLY."""
    points = _cloud(piece, reader)
    names = [f"property {_TYPES[_VERTEX[name].str]} {name}" for name in _VERTEX.names or ()]
    header = ["ply", "format binary_little_endian 1.0", "comment metres, z up, floor at z = 0"]
    header += [f"element vertex {len(points)}", *names, "end_header"]
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n").encode())
        file.write(points.tobytes())


def _cloud(piece: ExportPiece, reader: FrameReader) -> NDArray[np.void]:
    """Return the points of a world, thinned whenever many wait: a long clip takes no more memory than its room."""
    waiting = [np.empty(0, _VERTEX)]
    for at in range(piece.rows.num_rows):
        waiting.append(_vertices(piece, reader, at))
        if sum(map(len, waiting[1:])) > max(MOST_WAITING, len(waiting[0])):
            waiting = [_thinned(np.concatenate(waiting))]
    return _thinned(np.concatenate(waiting))


def _vertices(piece: ExportPiece, reader: FrameReader, at: int) -> NDArray[np.void]:
    (frame,) = ExportPiece(piece.path, piece.rows.slice(at, 1)).frames(reader)
    cloud = cloud_of(frame)
    found: NDArray[np.void] = np.empty(len(cloud.world), _VERTEX)
    for index, (axis, colour) in enumerate(zip("xyz", ("red", "green", "blue"), strict=True)):
        found[axis], found[colour] = cloud.world[:, index], cloud.rgb[:, index]
    found["label"] = cloud.labels
    return _thinned(found)


def _thinned(points: NDArray[np.void]) -> NDArray[np.void]:
    """Return the first point of every cube of ``SPACING``, in their order."""
    cubes = np.floor(np.stack([points[axis] for axis in "xyz"], axis=1) / SPACING).astype(np.int64)
    _, first = np.unique(cubes, axis=0, return_index=True)
    return points[np.sort(first)]
