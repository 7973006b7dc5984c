"""Nerfstudio: a folder a world, with ``transforms.json``, pictures, depth in millimetres and points to start from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.store.frames import Frame, FrameReader
from training.exports.chosen import ExportPiece, by_world
from training.exports.encoded import MILLIMETRES, as_jpeg, depth_png
from training.exports.ply import write_points

OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""From the camera of OpenGL (x right, y up, z back), which nerfstudio has, to ours."""


class Nerfstudio:
    """The format."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return a folder for every world."""
        return by_world(rows)

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write a world."""
        for folder in ("images", "depth"):
            (draft / folder).mkdir(parents=True)
        frames = []
        for frame in piece.frames(reader):
            (draft / "images" / f"{frame.row:06d}.jpg").write_bytes(as_jpeg(frame.picture))
            (draft / "depth" / f"{frame.row:06d}.png").write_bytes(depth_png(frame.depth))
            frames.append(_entry(frame))
        write_points(piece, reader, draft / "points.ply")
        content = {
            "camera_model": "OPENCV",
            "w": FRAME_WIDTH,
            "h": FRAME_HEIGHT,
            "depth_unit_scale_factor": 1 / MILLIMETRES,
            "ply_file_path": "points.ply",
            "frames": frames,
        }
        (draft / "transforms.json").write_text(json.dumps(content, indent=1), encoding="utf-8")

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return nothing: the format has no further files."""
        del rows
        return {}


def _entry(frame: Frame) -> dict[str, Any]:
    matrix = frame.camera.intrinsics.astype(np.float64)
    return {
        "file_path": f"images/{frame.row:06d}.jpg",
        "depth_file_path": f"depth/{frame.row:06d}.png",
        "fl_x": matrix[0, 0],
        "fl_y": matrix[1, 1],
        "cx": matrix[0, 2],
        "cy": matrix[1, 2],
        "transform_matrix": (frame.camera.camera_to_world.astype(np.float64) @ OPENGL).tolist(),
    }
