"""COLMAP: a folder a clip, with ``images/`` and a binary model in ``sparse/0``, for pycolmap and splatting codes.

Every frame has a camera ``PINHOLE`` of its own. Points are pixels with depth; each is seen in the frame that it is of.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.store.frames import Frame, FrameReader
from training.exports.chosen import ExportPiece, by_clip
from training.exports.encoded import ExportCloud, as_jpeg, cloud_of

PINHOLE = 1
"""COLMAP's number of the camera model: fx, fy, cx, cy."""

POINT_EVERY = 6
"""One pixel in six by six of the depth map becomes a point: some 2,000 a frame, as structure from motion gives."""


class Colmap:
    """The format."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return a folder for every clip, which has a world of its own."""
        return by_clip(rows)

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write pictures and model of a clip."""
        model, pictures = draft / "sparse" / "0", draft / "images"
        model.mkdir(parents=True)
        pictures.mkdir()
        count, first = struct.pack("<Q", piece.rows.num_rows), 1
        with (
            (model / "cameras.bin").open("wb") as cameras,
            (model / "images.bin").open("wb") as images,
            (model / "points3D.bin").open("wb") as points,
        ):
            cameras.write(count)
            images.write(count)
            points.write(bytes(len(count)))
            for number, frame in enumerate(piece.frames(reader), start=1):
                name, cloud = f"{frame.row:06d}.jpg", cloud_of(frame, POINT_EVERY)
                (pictures / name).write_bytes(as_jpeg(frame.picture))
                cameras.write(_camera(number, frame))
                images.write(_image(number, frame, name, cloud, first))
                points.writelines(_points(number, cloud, first))
                first += len(cloud.world)
            points.seek(0)  # how many there are is known now
            points.write(struct.pack("<Q", first - 1))

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return nothing: the format has no further files."""
        del rows
        return {}


def _camera(number: int, frame: Frame) -> bytes:
    matrix = frame.camera.intrinsics.astype(np.float64)
    values = (matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    return struct.pack("<iiQQ4d", number, PINHOLE, FRAME_WIDTH, FRAME_HEIGHT, *values)


def _image(number: int, frame: Frame, name: str, cloud: ExportCloud, first: int) -> bytes:
    world_to_camera = np.linalg.inv(frame.camera.camera_to_world.astype(np.float64))
    x, y, z, w = Rotation.from_matrix(world_to_camera[:3, :3]).as_quat()
    seen: NDArray[np.void] = np.empty(len(cloud.pixels), [("x", "<f8"), ("y", "<f8"), ("point", "<u8")])
    seen["x"], seen["y"] = cloud.pixels.T
    seen["point"] = first + np.arange(len(seen))
    begin = struct.pack("<I7dI", number, w, x, y, z, *world_to_camera[:3, 3], number)
    return begin + name.encode() + b"\0" + struct.pack("<Q", len(seen)) + seen.tobytes()


def _points(number: int, cloud: ExportCloud, first: int) -> Iterator[bytes]:
    """Yield the points of one frame, each with a track of that frame alone."""
    for index, (place, colour) in enumerate(zip(cloud.world.tolist(), cloud.rgb.tolist(), strict=True)):
        yield struct.pack("<Q3d3BdQII", first + index, *place, *colour, 0.0, 1, number, index)
