"""Our own dataset: the frames of ``dataset/index.parquet``, read from the videos' Zarr groups."""

import logging
from collections.abc import Mapping
from itertools import islice
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.errors import VideoError
from pipeline.store.frames import FrameReader
from pipeline.store.groups import SCALE_SIGMA, SCENE
from pipeline.store.index import read_summary
from pipeline.store.store import Store
from pipeline.tours.frozen import frozen_among, refuse_frozen
from training.data.doubt import LabelDoubt
from training.data.frame_rows import FrameNames, frames_with_depth
from training.data.sample import PICTURE_SHAPE, Sample
from training.errors import UnusableDataset

Split = Literal["train", "validation", "all"]
_log = logging.getLogger(__name__)
SMALL_ARRAYS = ("occupancy/grid_from_world", "occupancy/origin", "scene/camera_to_world", "scene/intrinsics")

ARRAYS = (*SMALL_ARRAYS, "scene/depth", "semantics/regions", "occupancy/labels")
"""What a sample is made of, beside its picture."""


class StoredFrames:
    """The frames with depth of one split of a dataset that ``build_dataset`` made.

    version: that of the dataset. rows: (video id, row in the video's arrays) of every frame. left_out: why frames of
    some videos are not among them, by video: results that are lost, or were made again since the dataset was written.
    """

    def __init__(self, store: Store, split: Split = "train", version: str | None = None, every: int = 1) -> None:
        """Open a dataset, pinned to ``version`` where one is given; of its frames, take every ``every``-th.

        Raises:
            UnusableDataset: there is none, it is another version, or the split has no frame.
            FrozenSeeds: it holds frozen tours, which nothing may be trained on.
        """
        summary = read_summary(store)
        if summary is None:
            message = f"{store.path('dataset')} holds no dataset: run 'dagster job execute -j build_dataset'"
            raise UnusableDataset(message)
        if version not in (None, summary.version):
            message = f"the dataset is now version {summary.version}, not {version}: leave the pin out or restore it"
            raise UnusableDataset(message)
        self.store, self.version = store, summary.version
        self._reader = FrameReader(store)
        found, self._made = frames_with_depth(store, split, every)
        self.left_out = _unsound(self._reader, self._made)
        self.rows = found.without(self.left_out)
        self.names = FrameNames(self.rows)
        self.origin = f"dataset {summary.version}, split {split}" + (f", every {every}th frame" if every > 1 else "")
        if not self.rows:
            splits = ", ".join(f"{name} {count}" for name, count in summary.frames_by_split.items())
            message = (
                f"the split {split!r} of dataset {self.version} has no frame ({splits} frames of {summary.videos} "
                "videos): videos are split as a whole, so add more, or read every frame (split=all, after --read)"
            )
            raise UnusableDataset(message)
        refuse_frozen(frozen_among(store, self.rows.videos))
        self._cameras: dict[str, dict[str, NDArray[Any]]] = {}
        self._sigmas: dict[str, NDArray[Any] | None] = {}

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        """Return a frame."""
        video_id, row = self.rows[index]
        small = self._small(video_id)
        grid_from_world = small["occupancy/grid_from_world"][row].astype(np.float64)
        camera_to_world = grid_from_world @ small["scene/camera_to_world"][row]
        return Sample(
            name=self.names[index],
            rgb=self._reader.read_picture(video_id, row, self._made[video_id]),
            depth=at_picture_size(self._read(video_id, "scene/depth", row).astype(np.float32)),
            regions=at_picture_size(self._read(video_id, "semantics/regions", row)).astype(np.int32),
            intrinsics=small["scene/intrinsics"][row],
            camera_to_world=camera_to_world.astype(np.float32),
            labels=self._read(video_id, "occupancy/labels", row),
            origin=small["occupancy/origin"][row],
        ).check()

    def doubt(self, index: int) -> LabelDoubt:
        """Return how sure the labels of a frame are; releases up to 0.2 stored no deviation of the scale.

        Raises:
            VideoError: as ``array``.
        """
        video_id, row = self.rows[index]
        if video_id not in self._sigmas:
            is_known = self.store.video(video_id).has_array(SCENE, SCALE_SIGMA)
            self._sigmas[video_id] = self._read(video_id, f"{SCENE}/{SCALE_SIGMA}", slice(None)) if is_known else None
        sigmas = self._sigmas[video_id]
        sigma = float("nan") if sigmas is None else float(sigmas[row])
        return LabelDoubt(sigma, at_picture_size(self.array(index, "semantics/confidence")))

    def array(self, index: int, array: str) -> NDArray[Any]:
        """Return a frame's row of any array of its video, such as ``scene/confidence``.

        Raises:
            VideoError: the array is missing, does not read back, or was made again since the dataset was written.
        """
        video_id, row = self.rows[index]
        return self._read(video_id, array, row)

    def beside(self, index: int, array: str, rows: slice) -> NDArray[Any]:
        """Return some rows of an array of a frame's video, for arrays whose rows are not frames.

        Raises:
            VideoError: the array is missing, does not read back, or was made again since the dataset was written.
        """
        return self._read(self.rows[index][0], array, rows)

    def __getstate__(self) -> dict[str, Any]:
        """Give loader processes everything but what was read: each opens its own."""
        return {**self.__dict__, "_cameras": {}, "_sigmas": {}}

    def _small(self, video_id: str) -> dict[str, NDArray[Any]]:
        """Return the cameras and grids' places of all frames of a video, read once: a few kilobytes."""
        if video_id not in self._cameras:
            self._cameras[video_id] = {name: self._read(video_id, name, slice(None)) for name in SMALL_ARRAYS}
        return self._cameras[video_id]

    def _read(self, video_id: str, array: str, rows: int | slice) -> NDArray[Any]:
        return self._reader.read(video_id, array, rows, self._made[video_id])


def _unsound(reader: FrameReader, made: Mapping[str, str]) -> dict[str, str]:
    """Return the videos whose results are not what the index was written from, and why; says how many there are."""
    found: dict[str, str] = {}
    for video_id, noted in made.items():
        try:
            reader.check(video_id, (*ARRAYS, f"{reader.pictures_group(video_id)}/rgb"), noted)
        except VideoError as error:
            found[video_id] = str(error)
    if found:
        _log.warning("frames of %d videos are left out: %s", len(found), "; ".join(islice(found.values(), 3)))
    return found


def at_picture_size(array: NDArray[Any]) -> NDArray[Any]:
    """Return a map (h, w) at the size of pictures, (480, 640), each pixel from the nearest."""
    if array.shape == PICTURE_SHAPE:
        return array
    return np.asarray(cv2.resize(array, PICTURE_SHAPE[::-1], interpolation=cv2.INTER_NEAREST_EXACT))
