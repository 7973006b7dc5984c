"""Single rows of the arrays of many videos, read with a few videos kept open."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.errors import CorruptStore
from pipeline.store.files import Files
from pipeline.store.groups import SCENE_ZARR
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
