"""The one type of sample that every reader gives and every task takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import FILLED_LABELS, SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from training.data.projection import Projection, project_voxels
from training.errors import BrokenBenchmark

PICTURE_SHAPE = (FRAME_HEIGHT, FRAME_WIDTH)
RIGID_WITHIN = 0.05
"""How far a rotation's rows may be from orthonormal; benchmarks' poses are rounded."""


@dataclass(frozen=True)
class Sample:
    """One picture with the grid of what stands around it.

    name: unique within its dataset.
    rgb: (480, 640, 3) uint8. depth: (480, 640) float32, z-depth in metres, 0 = no value.
    regions: (480, 640) int32, 0 = no region; all 0 where a dataset has none.
    intrinsics: (3, 3) float32, pixels, pixel centres at integers + 0.5.
    camera_to_world: (4, 4) float32, into the frame of the grid: z up, metres; camera x right, y down, z forward.
    labels: (60, 60, 36) uint8 ``[x, y, z]``, 0 empty, 1..11 classes, 12 occupied without a name, 255 unknown.
    origin: (3,) float32, corner of voxel (0, 0, 0), metres.
    """

    name: str
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    regions: NDArray[np.int32]
    intrinsics: NDArray[np.float32]
    camera_to_world: NDArray[np.float32]
    labels: NDArray[np.uint8]
    origin: NDArray[np.float32]

    @cached_property
    def projection(self) -> Projection:
        """Where the voxels of the grid are in the picture."""
        return project_voxels(self.intrinsics, self.camera_to_world, self.origin)

    def check(self) -> "Sample":
        """Return the sample itself.

        Raises:
            BrokenBenchmark: a wrong shape, values that are not finite, no rigid camera, labels that are no class.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "rgb": (*PICTURE_SHAPE, 3),
            "depth": PICTURE_SHAPE,
            "regions": PICTURE_SHAPE,
            "intrinsics": (3, 3),
            "camera_to_world": (4, 4),
            "labels": GRID_SHAPE,
            "origin": (3,),
        }
        for field, shape in shapes.items():
            array = getattr(self, field)
            if array.shape != shape:
                message = f"{self.name}: {field} has shape {array.shape} instead of {shape}; get the file again"
                raise BrokenBenchmark(message)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                message = f"{self.name}: {field} has values that are not finite; get the file again"
                raise BrokenBenchmark(message)
        self._check_camera()
        if ((self.labels > FILLED_LABELS[-1]) & (self.labels != SemanticClass.UNKNOWN)).any():
            message = f"{self.name}: labels hold values that are no class; get the file again"
            raise BrokenBenchmark(message)
        return self

    def _check_camera(self) -> None:
        rotation = self.camera_to_world[:3, :3]
        rigid = np.allclose(rotation @ rotation.T, np.eye(3), atol=RIGID_WITHIN) and np.linalg.det(rotation) > 0
        if not (rigid and np.array_equal(self.camera_to_world[3], (0, 0, 0, 1))):
            message = f"{self.name}: camera_to_world is no rotation and translation; get the file again"
            raise BrokenBenchmark(message)
        if self.intrinsics[0, 0] <= 0 or self.intrinsics[1, 1] <= 0:
            message = f"{self.name}: intrinsics have no positive focal length; get the file again"
            raise BrokenBenchmark(message)


class Frames(Protocol):
    """A dataset of samples.

    names: those of the samples, in order. origin: what the dataset is, in a line for people: kind, version or place,
    split. Whether two are the same is told by ``training.data.content.content_of``.
    """

    origin: str

    @property
    def names(self) -> Sequence[str]:
        """The names of the samples."""
        ...

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """Return a sample; raises ``BrokenBenchmark`` or ``CorruptStore`` where its files do not read."""
        ...


def each(frames: Frames) -> Iterator[Sample]:
    """Yield the samples in order."""
    return (frames[index] for index in range(len(frames)))
