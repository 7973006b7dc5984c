"""Single frames of many videos, read when they are looked at, with a few videos kept open.

What is read belongs together: every group that is opened must be the one that the dataset's index was written from, and
must still be that one after each read.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.errors import ChangedSinceIndexed
from pipeline.store.contents import GROUP_METADATA, require
from pipeline.store.files import Files
from pipeline.store.groups import OCCUPANCY, SCENE, SCENE_ZARR, SEMANTICS
from pipeline.store.indexed import same_as_indexed
from pipeline.store.mirror import ReplacedWhileRead
from pipeline.store.rows import pictures_group
from pipeline.store.trees import Stamp
from pipeline.store.video import VideoStore, array_errors

if TYPE_CHECKING:
    import zarr

OPEN_VIDEOS = 32
"""Videos whose arrays stay open in a reading process."""


class _OpenArray(NamedTuple):
    values: "zarr.Array[Any]"
    group: tuple[str, ...]
    stamp: Stamp | None


class _OpenVideo(NamedTuple):
    video: VideoStore
    arrays: dict[str, _OpenArray]


class FrameReader:
    """Reads rows of arrays such as ``scene/depth``; every process opens its own files."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._open: dict[tuple[str, str], _OpenVideo] = {}
        self._pictures: dict[str, str] = {}

    def read(self, video_id: str, array: str, rows: int | slice, indexed: str = "") -> NDArray[Any]:
        """Return a row or some rows of an array of a video.

        indexed: what the index notes of the video's groups (its column ``made``), which they must still be.

        Raises:
            StageMissing: the video has no such group any more.
            ChangedSinceIndexed: the group was made again since the index was written, or is at the moment.
            CorruptStore: the array does not read back, or a file of it is lost.
            NotReadableNow: the file system cannot give it at the moment.
        """
        for _ in range(2):  # once more where the same group was made again meanwhile
            video, arrays = self._opened_video(video_id, indexed)
            with suppress(ReplacedWhileRead):
                if array not in arrays:
                    arrays[array] = _opened(video, array, indexed)
                found = arrays[array]
                with array_errors(f"{video_id}: {array} row {rows}", found.group[-1]):
                    values = np.asarray(found.values[rows])
                if video.files.stamp(*found.group, GROUP_METADATA) == found.stamp:
                    return values
            self._open.pop((video_id, indexed))
        raise ChangedSinceIndexed(f"{video_id}: {array} is being made again: wait, then build the dataset anew")

    def read_picture(self, video_id: str, row: int, indexed: str = "") -> Images:
        """Return the picture (480, 640, 3) uint8 of a row that its intrinsics are those of; raises as ``read``."""
        return self.read(video_id, f"{self.pictures_group(video_id)}/rgb", row, indexed)

    def pictures_group(self, video_id: str) -> str:
        """Return the group that holds the pictures of a video: see ``rows.pictures_group``."""
        if video_id not in self._pictures:
            self._pictures[video_id] = pictures_group(VideoStore(self.files, video_id).as_it_is())
        return self._pictures[video_id]

    def check(self, video_id: str, arrays: Iterable[str], indexed: str) -> None:
        """Make sure, without reading arrays, that they are there in full size, and what the index was written from.

        Raises:
            VideoError: as ``read``.
        """
        video = VideoStore(self.files, video_id).as_it_is()
        for group, names in groupby(sorted(arrays), key=lambda array: array.partition("/")[0]):
            if not same_as_indexed(group, video.attributes(group), indexed):
                raise _made_again(video_id, group)
            for name in names:
                place = (*video.folder, SCENE_ZARR, group)
                require(self.files, place, video.listed(group) or {}, name.partition("/")[2])

    def __getstate__(self) -> dict[str, Any]:
        """Give other processes everything but the open arrays."""
        return {**self.__dict__, "_open": {}, "_pictures": {}}

    def _opened_video(self, video_id: str, indexed: str) -> _OpenVideo:
        if (video_id, indexed) not in self._open and len(self._open) >= OPEN_VIDEOS:
            self._open.pop(next(iter(self._open)))
        if (video_id, indexed) not in self._open:
            self._open[video_id, indexed] = _OpenVideo(VideoStore(self.files, video_id).as_it_is(), {})
        return self._open[video_id, indexed]


def _opened(video: VideoStore, array: str, indexed: str) -> _OpenArray:
    import zarr

    group, _, name = array.partition("/")
    names = (*video.folder, SCENE_ZARR, group)
    stamp = video.files.stamp(*names, GROUP_METADATA)
    if not same_as_indexed(group, video.attributes(group), indexed):
        raise _made_again(video.video_id, group)
    require(video.files, names, video.listed(group) or {}, name)
    with array_errors(f"{video.video_id}: {array}", group):
        opened = zarr.open_array(video.files.zarr_location(*names, name), mode="r", zarr_format=3)
        return _OpenArray(opened, names, stamp)


def _made_again(video_id: str, group: str) -> ChangedSinceIndexed:
    message = f"{video_id}: {group!r} was made again since the dataset was written: build the dataset anew"
    return ChangedSinceIndexed(message)


class Camera(NamedTuple):
    """Where a frame was taken from.

    intrinsics: (3, 3) float32, pixels of the 640x480 picture. camera_to_world: (4, 4) float32, metres, z up; the
    camera's axes are x right, y down, z forward.
    """

    intrinsics: Floats
    camera_to_world: Floats


class Grid(NamedTuple):
    """The voxels about a frame.

    labels: (60, 60, 36) uint8 [x, y, z], 0 empty, 1..11 classes, 12 occupied without a name, 255 unknown; voxels of
    8 cm. origin: (3,) float32, metres, corner of voxel (0, 0, 0) in the grid's frame. grid_from_world: (4, 4) float32.
    """

    labels: NDArray[np.uint8]
    origin: Floats
    grid_from_world: Floats


@dataclass(frozen=True)
class Frame:
    """One frame of a dataset; arrays are read from the store when they are asked for first, and then kept.

    video_id, row: where it lies in the store. clip_id, time_s: which clip of the video it is from, and when. split:
    ``train`` or ``validation``. made: what the index notes of the video's groups.
    """

    video_id: str
    row: int
    clip_id: int
    split: str
    time_s: float
    reader: FrameReader = field(repr=False, compare=False)
    made: str = field(default="", repr=False)

    @cached_property
    def picture(self) -> Images:
        """The picture, straightened where the lens bent it: (480, 640, 3) uint8 RGB."""
        return self.reader.read_picture(self.video_id, self.row, self.made)

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
        return self.reader.read(self.video_id, f"{group}/{array}", self.row, self.made)
