"""The frames of a dataset as Python objects, read when they are looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.errors import StageMissing
from pipeline.contract.records import Floats, Images
from pipeline.store.frames import FrameReader
from pipeline.store.groups import FRAMES, OCCUPANCY, SCENE, SEMANTICS
from pipeline.store.index import INDEX, read_summary
from pipeline.store.store import Store

COLUMNS = ("video_id", "row", "clip_id", "split", "time_s")


class Camera(NamedTuple):
    """Where a frame was taken from.

    intrinsics: (3, 3) float32, pixels of the 640x480 picture. camera_to_world: (4, 4) float32, metres, z up; the
    camera's axes are x right, y down, z forward.
    """

    intrinsics: Floats
    camera_to_world: Floats


class Grid(NamedTuple):
    """The voxels about a frame.

    labels: (60, 60, 36) uint8 [x, y, z], 0 empty, 1..11 classes, 255 unknown; voxels of 8 cm. origin: (3,) float32,
    metres, corner of voxel (0, 0, 0) in the grid's frame. grid_from_world: (4, 4) float32.
    """

    labels: NDArray[np.uint8]
    origin: Floats
    grid_from_world: Floats


@dataclass(frozen=True)
class Frame:
    """One frame of a dataset; arrays are read from the store when they are asked for first, and then kept.

    video_id, row: where it lies in the store. clip_id, time_s: which clip of the video it is from, and when. split:
    ``train`` or ``validation``.
    """

    video_id: str
    row: int
    clip_id: int
    split: str
    time_s: float
    reader: FrameReader = field(repr=False, compare=False)

    @cached_property
    def picture(self) -> Images:
        """The picture: (480, 640, 3) uint8 RGB."""
        return self._read(FRAMES, "rgb")

    @cached_property
    def camera(self) -> Camera:
        """Intrinsics and pose."""
        return Camera(self._read(SCENE, "intrinsics"), self._read(SCENE, "camera_to_world"))

    @cached_property
    def depth(self) -> Floats:
        """Depth along the camera's axis: (h, w) float32, metres, 0 = no value."""
        return np.asarray(self._read(SCENE, "depth"), np.float32)

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """Class of every pixel of the depth map: (h, w) uint8, 255 = unknown."""
        return self._read(SEMANTICS, "labels")

    @cached_property
    def regions(self) -> NDArray[np.uint16]:
        """Region of every pixel of the depth map: (h, w) uint16, 0 = none."""
        return self._read(SEMANTICS, "regions")

    @cached_property
    def grid(self) -> Grid:
        """The voxels about the frame."""
        names = ("labels", "origin", "grid_from_world")
        return Grid(*(self._read(OCCUPANCY, name) for name in names))

    def _read(self, group: str, array: str) -> NDArray[Any]:
        return self.reader.read(self.video_id, f"{group}/{array}", self.row)


class Dataset(Sequence[Frame]):
    """The frames of a dataset, in the order of its index.

    Args:
        data: folder or URL of the dataset.
        split: ``train`` or ``validation``; both by default.
        video_id: frames of this video alone.

    Raises:
        StageMissing: there is no dataset.
    """

    def __init__(self, data: str | Path = "data", split: str | None = None, video_id: str | None = None) -> None:
        self.store = Store(data)
        self.summary = read_summary(self.store)
        if self.summary is None:
            raise StageMissing(f"{self.store.path('dataset')} holds no dataset: build one with 'make build_dataset'")
        with self.store.open_parquet(*INDEX) as index:
            table = index.read(list(COLUMNS))
        reader = FrameReader(self.store)
        every = (Frame(**row, reader=reader) for row in table.to_pylist())
        self._frames = [frame for frame in every if split in (None, frame.split) and video_id in (None, frame.video_id)]

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        """Return a frame, or a list of frames; nothing is read from the store yet."""
        return self._frames[index]

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)
