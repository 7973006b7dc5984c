"""COLMAP: a folder a world, ``images/`` and a binary model in ``sparse/0``, for pycolmap and splatting codes.

Pictures are as large as their film where it is at hand and has more rows than the store. Every frame has a camera
``PINHOLE`` of its own. Points are pixels with depth; each is seen in the frame that it is of.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Images
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.pictures.films import FilmPictures
from pipeline.store.frames import Frame, FrameReader
from training.exports.chosen import ExportPiece, by_world
from training.exports.encoded import ExportCloud, as_jpeg, cloud_of

PINHOLE = 1
"""COLMAP's number of the camera model: fx, fy, cx, cy."""

POINT_EVERY = 6
"""One pixel in six by six of the depth map becomes a point: some 2,000 a frame, as structure from motion gives."""


class Colmap:
    """The format."""

    def __init__(self) -> None:
        self._films: FilmPictures | None = None

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return a folder for every world."""
        return by_world(rows)

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write pictures and model of a world."""
        films = self._films = self._films or FilmPictures(reader.files)
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
                name, cloud, picture = f"{frame.row:06d}.jpg", cloud_of(frame, POINT_EVERY), films.picture(frame)
                (pictures / name).write_bytes(as_jpeg(picture))
                cameras.write(_camera(number, frame, picture))
                images.write(_image(number, frame, name, cloud.pixels * _enlarged(picture), first))
                points.writelines(_points(number, cloud, first))
                first += len(cloud.world)
            points.seek(0)  # how many there are is known now
            points.write(struct.pack("<Q", first - 1))

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return nothing: the format has no further files."""
        del rows
        return {}


def _enlarged(picture: Images) -> NDArray[np.float64]:
    """Return how much wider and higher a picture is than the stored ones, whose pixels intrinsics are in."""
    return np.array([picture.shape[1] / FRAME_WIDTH, picture.shape[0] / FRAME_HEIGHT])


def _camera(number: int, frame: Frame, picture: Images) -> bytes:
    matrix = frame.camera.intrinsics.astype(np.float64)
    matrix[:2] *= _enlarged(picture)[:, None]
    values = (matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    return struct.pack("<iiQQ4d", number, PINHOLE, picture.shape[1], picture.shape[0], *values)


def _image(number: int, frame: Frame, name: str, pixels: NDArray[np.float64], first: int) -> bytes:
    """Return the record of a frame. pixels: (n, 2), where its points are seen in its picture."""
    world_to_camera = np.linalg.inv(frame.camera.camera_to_world.astype(np.float64))
    x, y, z, w = Rotation.from_matrix(world_to_camera[:3, :3]).as_quat()
    seen: NDArray[np.void] = np.empty(len(pixels), [("x", "<f8"), ("y", "<f8"), ("point", "<u8")])
    seen["x"], seen["y"] = pixels.T
    seen["point"] = first + np.arange(len(seen))
    begin = struct.pack("<I7dI", number, w, x, y, z, *world_to_camera[:3, 3], number)
    return begin + name.encode() + b"\0" + struct.pack("<Q", len(seen)) + seen.tobytes()


def _points(number: int, cloud: ExportCloud, first: int) -> Iterator[bytes]:
    """Yield the points of one frame, each with a track of that frame alone."""
    for index, (place, colour) in enumerate(zip(cloud.world.tolist(), cloud.rgb.tolist(), strict=True)):
        yield struct.pack("<Q3d3BdQII", first + index, *place, *colour, 0.0, 1, number, index)
