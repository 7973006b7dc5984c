"""Tar shards that ``webdataset`` opens: of every frame a picture, arrays as ``.npy``, and cameras as JSON."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.store.frames import Frame, FrameReader
from training.exports.chosen import ExportPiece, in_shards
from training.exports.encoded import as_jpeg


class WebShards:
    """The format."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return the shards of every split."""
        return in_shards(rows, "{split}-{number:06d}.tar")

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write a shard, a frame at a time."""
        with tarfile.open(draft, "w") as archive:
            for frame in piece.frames(reader):
                for ending, content in _members(frame).items():
                    entry = tarfile.TarInfo(f"{frame.video_id}-{frame.row:06d}.{ending}")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return nothing: the format has no further files."""
        del rows
        return {}


def _members(frame: Frame) -> dict[str, bytes]:
    described: dict[str, Any] = {
        "video_id": frame.video_id,
        "row": frame.row,
        "clip_id": frame.clip_id,
        "split": frame.split,
        "time_s": frame.time_s,
        "intrinsics": frame.camera.intrinsics.tolist(),
        "camera_to_world": frame.camera.camera_to_world.tolist(),
        "origin": frame.grid.origin.tolist(),
        "grid_from_world": frame.grid.grid_from_world.tolist(),
    }
    return {
        "jpg": as_jpeg(frame.picture),
        "depth.npy": _npy(frame.depth.astype(np.float16)),
        "labels.npy": _npy(frame.labels),
        "occupancy.npy": _npy(frame.grid.labels),
        "json": json.dumps(described).encode(),
    }


def _npy(values: NDArray[Any]) -> bytes:
    written = io.BytesIO()
    np.save(written, values, allow_pickle=False)
    return written.getvalue()
