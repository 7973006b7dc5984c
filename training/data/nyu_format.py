"""NYUv2 as SSCNet (Song et al. 2017) ships it for semantic scene completion: grids, depth maps, cameras.

``.bin``: voxel origin, 3 float32, metres; camera to world, 4 x 4 float32 by rows; then pairs (label, run length) of
uint32 over 240 x 144 x 240 voxels of 2 cm in the order world x, world z (up), world y. Labels are those of SSCNet's
list of 36, 0 empty, 255 unknown. Depth ``.png``: 16 bits, millimetres rotated left by 3 bits.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from training.errors import BrokenBenchmark

FINE_SHAPE = (240, 144, 240)
FINE_FACTOR = 4
HEADER_FLOATS = 3 + 16
LARGEST_BYTES = 4 * HEADER_FLOATS + 8 * 240 * 144 * 240
"""A file in which no two neighbours are alike."""
INTRINSICS = np.array([[518.8579, 0, 320.5], [0, 518.8579, 240.5], [0, 0, 1]], np.float32)
"""The benchmark's fixed camera (focal length 518.8579, centre at pixel (320, 240)), with pixel centres at + 0.5."""

SSCNET_TO_CLASS = np.full(256, SemanticClass.UNKNOWN, np.uint8)
"""SSCNet's 36 labels (0 is empty) to the eleven classes; the last of the list, 'dont care', counts as objects."""
SSCNET_LABELS = 37
SSCNET_TO_CLASS[:SSCNET_LABELS] = [
    *(0, 1, 2, 3, 4, 11, 5, 6, 7, 8, 8, 10, 10, 10, 11, 11, 9, 8, 11),
    *(11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 11, 8, 10, 11, 9, 11, 11, 11),
]
CLASS_TO_SSCNET = np.full(256, SemanticClass.UNKNOWN, np.uint32)
"""For every class one of SSCNet's labels that stands for it: tvs, bookshelf and door for the last three."""
CLASS_TO_SSCNET[:12] = [0, 1, 2, 3, 4, 6, 7, 8, 9, 33, 11, 5]


@dataclass(frozen=True)
class NyuScene:
    """One grid file.

    origin: (3,) float32. camera_to_world: (4, 4) float32. labels: (240, 240, 144) uint8 ``[x, y, z]``, our
    classes; after down-sampling (60, 60, 36).
    """

    origin: NDArray[np.float32]
    camera_to_world: NDArray[np.float32]
    labels: NDArray[np.uint8]


def read_bin(path: Path) -> NyuScene:
    """Read a grid file.

    Raises:
        BrokenBenchmark: it is missing, cut short, too long, or does not fill its grid exactly.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        message = f"{path} is missing: {error.strerror}"
        raise BrokenBenchmark(message) from error
    words, rest = divmod(len(content) - 4 * HEADER_FLOATS, 8)
    if words < 1 or rest or len(content) > LARGEST_BYTES:
        message = f"{path.name} is cut short or too long: it is no header and whole runs of voxels; get it again"
        raise BrokenBenchmark(message)
    header = np.frombuffer(content, "<f4", HEADER_FLOATS)
    runs = np.frombuffer(content, "<u4", 2 * words, offset=4 * HEADER_FLOATS).reshape(-1, 2)
    return NyuScene(
        origin=header[:3].astype(np.float32),
        camera_to_world=header[3:].reshape(4, 4).astype(np.float32),
        labels=_decoded(runs, path),
    )


def write_bin(path: Path, scene: NyuScene) -> None:
    """Write a grid file."""
    flat = CLASS_TO_SSCNET[scene.labels.transpose(0, 2, 1)].ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, flat.size])
    header = np.r_[scene.origin.ravel(), scene.camera_to_world.ravel()].astype("<f4")
    path.write_bytes(header.tobytes() + np.stack([flat[starts], lengths], axis=1).astype("<u4").tobytes())


def finer(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return labels (60, 60, 36) of 8 cm as (240, 240, 144) of 2 cm: every voxel repeated."""
    repeated = labels
    for axis in range(3):
        repeated = repeated.repeat(FINE_FACTOR, axis=axis)
    return repeated


def metres_of(stored: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Turn the stored depth (h, w) uint16, rotated millimetres, into metres."""
    millimetres = (stored >> 3) | (stored << 13)
    return np.asarray(millimetres / 1000, np.float32)


def stored_of(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Turn metres (h, w) into what the benchmark stores; depths beyond 65.5 m become no value."""
    millimetres = np.round(depth * 1000)
    whole = np.where(millimetres < 1 << 16, millimetres, 0).astype(np.uint16)
    return np.asarray((whole << 3) | (whole >> 13), np.uint16)


def _decoded(runs: NDArray[np.uint32], path: Path) -> NDArray[np.uint8]:
    a, b, c = FINE_SHAPE
    lengths = runs[:, 1].astype(np.int64)
    if lengths.sum() != a * b * c:
        message = f"{path.name}: its runs fill {lengths.sum()} of {a * b * c} voxels; it is cut short, get it again"
        raise BrokenBenchmark(message)
    known = (runs[:, 0] < SSCNET_LABELS) | (runs[:, 0] == SemanticClass.UNKNOWN)
    if not known.all():
        message = f"{path.name} holds label {runs[~known][0, 0]}, which the format does not have"
        raise BrokenBenchmark(message)
    flat = np.repeat(SSCNET_TO_CLASS[runs[:, 0]], lengths)
    return flat.reshape(FINE_SHAPE).transpose(0, 2, 1)
