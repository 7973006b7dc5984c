"""The frames of our own dataset as PyTorch takes them: tensors in a dictionary, one a frame."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pipeline.store.frames import Frame

READ: dict[str, Callable[[Frame], NDArray[np.generic]]] = {
    "picture": lambda frame: np.moveaxis(frame.picture, -1, 0),
    "depth": lambda frame: frame.depth,
    "labels": lambda frame: frame.labels,
    "regions": lambda frame: frame.regions.astype(np.int32),
    "intrinsics": lambda frame: frame.camera.intrinsics,
    "camera_to_world": lambda frame: frame.camera.camera_to_world,
    "grid": lambda frame: frame.grid.labels,
    "origin": lambda frame: frame.grid.origin,
    "grid_from_world": lambda frame: frame.grid.grid_from_world,
}
"""What can be asked of a frame."""


class OccupancyDataset(Dataset[dict[str, Tensor]]):
    """A torch ``Dataset`` of a dataset's frames, for any ``DataLoader``; workers open their own files.

    An item has, unless only some are asked for: picture (3, 480, 640) uint8; depth (h, w) float32, metres, 0 = no
    value; labels (h, w) uint8, 255 = unknown; regions (h, w) int32; intrinsics (3, 3) float32, pixels of the picture;
    camera_to_world (4, 4) float32; grid (60, 60, 36) uint8 ``[x, y, z]``, 0 empty, 1..11 classes, 12 occupied without
    a name, 255 unknown; origin (3,) float32, metres; grid_from_world (4, 4) float32. (h, w) is the size of a video's
    depth maps: where videos differ, batches can be stacked of pictures, cameras and grids alone.

    Args:
        frames: ``pipeline.Dataset("data")`` or some of its frames.
        arrays: what to read, by the names above; all by default.

    Raises:
        ValueError: an array that frames do not have.
    """

    def __init__(self, frames: Sequence[Frame], arrays: Sequence[str] = tuple(READ)) -> None:
        unknown = sorted(set(arrays) - set(READ))
        if unknown:
            raise ValueError(f"frames have no {', '.join(unknown)}; they have {', '.join(READ)}")
        self.frames, self.arrays = frames, tuple(arrays)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Read a frame; raises ``CorruptStore`` where an array does not read back."""
        frame = self.frames[index]
        read = {name: READ[name](frame) for name in self.arrays}
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in read.items()}
