"""Parquet shards that ``datasets.load_dataset`` opens: a row a frame, pictures as pictures, the grid as a list."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE
from pipeline.store.frames import Frame, FrameReader
from training.exports.chosen import ExportPiece, in_shards
from training.exports.encoded import as_jpeg, as_png, depth_png

ROWS_AT_ONCE = 16
"""Frames a row group: what is in memory at once, and what a reader has to read for one frame."""

PICTURES = ("image", "depth", "labels")
LISTS = {
    "intrinsics": (pa.float32(), 9),
    "camera_to_world": (pa.float32(), 16),
    "grid_from_world": (pa.float32(), 16),
    "origin": (pa.float32(), 3),
    "occupancy": (pa.uint8(), int(np.prod(GRID_SHAPE))),
}
VALUES = {"video_id": pa.string(), "row": pa.int32(), "clip_id": pa.int32(), "time_s": pa.float64()}


class HuggingFace:
    """The format."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return shards under the names by which ``datasets`` tells splits."""
        return in_shards(rows, "data/{split}-{number:05d}-of-{count:05d}.parquet")

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write a shard, some frames at a time."""
        with closing(pq.ParquetWriter(draft, schema(), compression="zstd")) as writer:
            for start in range(0, piece.rows.num_rows, ROWS_AT_ONCE):
                some = ExportPiece(piece.path, piece.rows.slice(start, ROWS_AT_ONCE))
                writer.write_table(pa.Table.from_pylist(list(_rows(some, reader)), schema()))

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return the dataset card, whose head names the files of every split."""
        files = {split: f"data/{split}-*.parquet" for split in sorted(rows["split"].unique().to_pylist())}
        lines = [f"  - split: {split}\n    path: {path}" for split, path in files.items()]
        head = ["---", "configs:", "- config_name: default", "  data_files:", *lines, "---", ""]
        classes = ", ".join(f"{int(label)} {label.name.lower()}" for label in COUNTED_CLASSES)
        shape = " x ".join(map(str, GRID_SHAPE))
        grid = f"`occupancy` is a grid of {shape} voxels of {VOXEL_SIZE} m, x slowest"
        body = [
            "# 3D semantic occupancy of house tours",
            f"{rows.num_rows} frames. {grid}: `numpy.reshape(row['occupancy'], {GRID_SHAPE})`.",
            "`origin` is its corner, in metres, in the frame that `grid_from_world` leads to.",
            f"Labels: {classes}.",
            "`depth` is in millimetres, 0 = no value. Matrices are listed row by row; cameras look along z, y down.",
            "Videos belong to their makers: each is under the licence of whoever published it.",
        ]
        return {"README.md": "\n".join(head) + "\n" + "\n\n".join(body) + "\n"}


def schema() -> pa.Schema:
    """Return the columns of a shard, with what ``datasets`` reads of them."""
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = [*VALUES.items(), *((name, picture) for name in PICTURES)]
    columns += [(name, pa.list_(kind, length)) for name, (kind, length) in LISTS.items()]
    features: dict[str, Any] = {name: _value(kind) for name, kind in VALUES.items()}
    features |= {name: {"_type": "Image"} for name in PICTURES}
    features |= {
        name: {"feature": _value(kind), "length": length, "_type": "List"} for name, (kind, length) in LISTS.items()
    }
    return pa.schema(columns, {"huggingface": json.dumps({"info": {"features": features}})})


def _value(kind: pa.DataType) -> dict[str, str]:
    names = {pa.float32(): "float32", pa.float64(): "float64"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}


def _rows(piece: ExportPiece, reader: FrameReader) -> Iterator[dict[str, Any]]:
    for frame in piece.frames(reader):
        encoded = (as_jpeg(frame.picture), depth_png(frame.depth), as_png(frame.labels))
        yield {
            **{name: getattr(frame, name) for name in VALUES},
            **{name: {"bytes": made, "path": None} for name, made in zip(PICTURES, encoded, strict=True)},
            **_lists(frame),
        }


def _lists(frame: Frame) -> dict[str, Any]:
    return {
        "intrinsics": frame.camera.intrinsics.ravel(),
        "camera_to_world": frame.camera.camera_to_world.ravel(),
        "grid_from_world": frame.grid.grid_from_world.ravel(),
        "origin": frame.grid.origin,
        "occupancy": frame.grid.labels.ravel(),
    }
