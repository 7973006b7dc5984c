"""Single frames of many videos, read when they are looked at, with a few videos kept open."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.errors import CorruptStore
from pipeline.store.files import Files
from pipeline.store.groups import FRAMES, OCCUPANCY, SCENE, SCENE_ZARR, SEMANTICS
from pipeline.store.video import VIDEOS

if TYPE_CHECKING:
    import zarr

OPEN_VIDEOS = 32
"""Videos whose arrays stay open in a reading process."""


class FrameReader:
    """Reads rows of arrays such as ``scene/depth``; every process opens its own files."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._open: dict[str, zarr.Group] = {}

    def read(self, video_id: str, array: str, rows: int | slice) -> NDArray[Any]:
        """Return a row or some rows of an array of a video.

        Raises:
            CorruptStore: the array is missing or does not read back.
        """
        try:
            return np.asarray(self._group(video_id)[array][rows])  # type: ignore[index]
        except (OSError, KeyError, ValueError, RuntimeError, IndexError) as error:
            message = f"{video_id}: {array} row {rows} does not read back ({error}); run its stage again"
            raise CorruptStore(message) from error

    def __getstate__(self) -> dict[str, Any]:
        """Give other processes everything but the open arrays."""
        return {**self.__dict__, "_open": {}}

    def _group(self, video_id: str) -> "zarr.Group":
        import zarr

        if video_id not in self._open:
            if len(self._open) >= OPEN_VIDEOS:
                self._open.pop(next(iter(self._open)))
            location = self.files.zarr_location(VIDEOS, video_id, SCENE_ZARR)
            self._open[video_id] = zarr.open_group(location, mode="r")
        return self._open[video_id]


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
