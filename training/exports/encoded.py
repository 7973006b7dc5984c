"""Pictures, depth and labels of a frame as bytes, and its depth as points."""

import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.camera import depth_intrinsics
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.store.frames import Frame

QUALITY = 95
"""Of JPEGs: differences of some 2 of 255 steps, at a tenth of the bytes of a PNG."""

MILLIMETRES = 1000.0


class ExportCloud(NamedTuple):
    """Points of a frame: world (n, 3) float64, metres; rgb (n, 3) uint8; labels (n,) uint8, 255 = unknown.

    pixels: (n, 2) float64, x and y in the 640x480 picture, pixel centres at integers + 0.5.
    """

    world: NDArray[np.float64]
    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    pixels: NDArray[np.float64]


def as_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (h, w, 3) uint8 as JPEG."""
    return _encoded(picture, "JPEG", quality=QUALITY, subsampling=0)


def as_png(values: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Return a map (h, w) uint8 or uint16 as PNG."""
    return _encoded(values, "PNG")


def depth_png(depth: NDArray[np.floating]) -> bytes:
    """Return depth (h, w), metres, as a PNG of 16 bits in millimetres; 0 = no value, 65.5 m at most."""
    return as_png(np.round(np.clip(depth * MILLIMETRES, 0, 65535)).astype(np.uint16))


def cloud_of(frame: Frame, every: int = 1) -> ExportCloud:
    """Return every ``every``-th pixel with depth, by row and column, as a point."""
    depth = frame.depth
    row, column = np.nonzero(depth)
    kept = (row % every == 0) & (column % every == 0)
    row, column = row[kept], column[kept]
    image = np.stack([column + 0.5, row + 0.5, np.ones(len(row))], axis=1)
    rays = image @ np.linalg.inv(depth_intrinsics(frame.camera.intrinsics, depth.shape)).T
    pose = frame.camera.camera_to_world.astype(np.float64)
    world = rays * depth[row, column][:, None] @ pose[:3, :3].T + pose[:3, 3]
    pixels = image[:, :2] * (FRAME_WIDTH / depth.shape[1], FRAME_HEIGHT / depth.shape[0])
    x, y = pixels.astype(np.int64).T
    return ExportCloud(world, frame.picture[y, x], frame.labels[row, column], pixels)


def _encoded(values: NDArray[np.uint8] | NDArray[np.uint16], kind: str, **options: int) -> bytes:
    written = io.BytesIO()
    Image.fromarray(values).save(written, kind, **options)
    return written.getvalue()
