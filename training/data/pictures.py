"""Pictures and depth maps of the benchmarks, as files."""

import io
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from training.data.sample import PICTURE_SHAPE
from training.errors import BrokenBenchmark

MOST_PIXELS = 100_000_000
"""More than any camera of a benchmark has; 300 MB in memory."""


def read_picture(path: Path, *, any_size: bool = False) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return a picture as (480, 640, 3) uint8 RGB, and the height and width it was stored with.

    Raises:
        BrokenBenchmark: the file is missing, no picture, or of another size where not any will do.
    """
    stored = cv2.cvtColor(_decoded(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    size = (stored.shape[0], stored.shape[1])
    if size != PICTURE_SHAPE:
        _check_size(path, size, any_size=any_size)
        stored = cv2.resize(stored, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(stored, np.uint8), size


def read_depth_png(path: Path, *, any_size: bool = False) -> NDArray[np.uint16]:
    """Return a depth map as stored, (480, 640) uint16; other sizes are sampled at the nearest pixel.

    Raises:
        BrokenBenchmark: the file is missing, no picture, not of 16 bits, or of another size where not any will do.
    """
    stored = _decoded(path, cv2.IMREAD_UNCHANGED)
    if stored.dtype != np.uint16 or stored.ndim != 2:
        message = f"{path.name} is no depth map of 16 bits but {stored.dtype} {stored.shape}; get it again"
        raise BrokenBenchmark(message)
    if stored.shape != PICTURE_SHAPE:
        _check_size(path, stored.shape, any_size=any_size)
        stored = cv2.resize(stored, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(stored, np.uint16)


def write_picture(path: Path, array: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write RGB (h, w, 3) uint8 as JPEG (quality 95) or depth (h, w) uint16 as PNG, by the path's suffix."""
    content = cv2.cvtColor(array, cv2.COLOR_RGB2BGR) if array.ndim == 3 else array
    _, encoded = cv2.imencode(path.suffix, content, [cv2.IMWRITE_JPEG_QUALITY, 95] if path.suffix == ".jpg" else [])
    path.write_bytes(encoded.tobytes())


def _check_size(path: Path, size: tuple[int, ...], *, any_size: bool) -> None:
    if not any_size:
        message = f"{path.name} is {size[1]}x{size[0]} instead of 640x480, for which the benchmark's camera is given"
        raise BrokenBenchmark(message)


def _decoded(path: Path, flags: int) -> NDArray[Any]:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        message = f"{path} is missing: {error.strerror}. The benchmark is incomplete; unpack it again"
        raise BrokenBenchmark(message) from error
    _check_pixels(path, content)
    decoded = cv2.imdecode(content, flags)
    if decoded is None:
        message = f"{path.name} is no picture, or cut short; get it again"
        raise BrokenBenchmark(message)
    return np.asarray(decoded)


def _check_pixels(path: Path, content: NDArray[np.uint8]) -> None:
    """Refuse a picture by the size that its header claims, before memory is taken for it."""
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(content.tobytes()), formats=("JPEG", "PNG")) as header,
        ):
            pixels = header.width * header.height
    except Image.DecompressionBombError:
        pixels = MOST_PIXELS + 1
    except (OSError, SyntaxError, ValueError) as error:
        message = f"{path.name} is no picture, or cut short; get it again"
        raise BrokenBenchmark(message) from error
    if pixels > MOST_PIXELS:
        message = f"{path.name} says that it has more than {MOST_PIXELS:,} pixels, as no camera has; get it again"
        raise BrokenBenchmark(message)
