"""The shutter: rows that are exposed one after another, each for a while, by a camera that moves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from pipeline.contract.arrays import Floats
from pipeline.tours.effects.lens import Lens

KNOT_S = 0.004
"""Seconds between poses that are taken from the walk; between them the camera moves evenly, which is the truth."""
STILL_PIXELS = 0.5
"""Motion during an exposure up to which a single moment will do."""
SAMPLES_MIN = 3
SAMPLE_PIXELS = 1.5
"""Motion between two moments of an exposure."""
TYPICAL_DEPTH_M = 2.0


@dataclass(frozen=True)
class RowCamera:
    """A camera each row of whose picture is taken from a pose of its own.

    row_poses: (height, 4, 4) float64, camera_to_world of every row.
    """

    lens: Lens
    row_poses: NDArray[np.float64]
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, pixels."""
        return self.width, len(self.row_poses)

    @property
    def focal(self) -> np.float32:
        """Focal length, pixels."""
        return np.float32(self.lens.intrinsics[0, 0])

    @property
    def intrinsics(self) -> NDArray[np.float32]:
        """The lens's (3, 3), pixels."""
        return self.lens.intrinsics

    @property
    def camera_to_world(self) -> NDArray[np.float64]:
        """Pose (4, 4) of the row in the middle."""
        return np.asarray(self.row_poses[len(self.row_poses) // 2])

    def rays(self, pixels: Floats) -> tuple[Floats, Floats]:
        """Return origins and directions (n, 3) of ``pixels`` (n, 2)."""
        rows = np.clip(np.floor(pixels[:, 1]).astype(int), 0, len(self.row_poses) - 1)
        poses = self.row_poses.astype(np.float32)
        turned = np.einsum("nij,nj->ni", poses[rows, :3, :3], self.lens.directions(pixels))
        return poses[rows, :3, 3], turned.astype(np.float32)

    def windowed(self, left: float, top: float, width: float, height: float, size: tuple[int, int]) -> "RowCamera":
        """Return the camera of a part of the picture that is shown with ``size`` pixels, width and height."""
        scale = size[0] / width, size[1] / height
        rows = np.clip(np.floor(top + (np.arange(size[1]) + 0.5) / scale[1]).astype(int), 0, len(self.row_poses) - 1)
        return RowCamera(self.lens.cropped((left, top), scale), self.row_poses[rows], size[0])

    def without_faults(self) -> "RowCamera":
        """Return the pinhole in the same place that exposes all rows when this one exposes its middle."""
        poses = np.broadcast_to(self.camera_to_world, self.row_poses.shape)
        return RowCamera(Lens(self.lens.intrinsics), poses, self.width)


@dataclass(frozen=True)
class Shutter:
    """readout_s: from the first row's exposure to the last one's. exposure_s: of each row. samples_max: moments."""

    readout_s: float = 0.0
    exposure_s: float = 0.0
    samples_max: int = 1

    def cameras(
        self, at: Callable[[float], NDArray[np.float64]], seconds: float, lens: Lens, size: tuple[int, int]
    ) -> list[RowCamera]:
        """Return the cameras of some moments of an exposure whose middle row's middle lies at ``seconds``.

        at: the pose camera_to_world (4, 4) of a moment. size: width and height.
        """
        width, height = size
        rows = ((np.arange(height) + 0.5) / height - 0.5) * self.readout_s
        reach = (self.readout_s + self.exposure_s) / 2
        knots = seconds + np.linspace(-reach, reach, max(2, int(np.ceil(2 * reach / KNOT_S)) + 1))
        path = np.stack([at(float(knot)) for knot in knots])
        count = self._samples(path, float(lens.intrinsics[0, 0]), reach)
        moments = ((np.arange(count) + 0.5) / count - 0.5) * self.exposure_s
        return [RowCamera(lens, _between(knots, path, seconds + rows + moment), width) for moment in moments]

    def _samples(self, path: NDArray[np.float64], focal: float, reach: float) -> int:
        """Return how many moments the blur of a typical pixel takes."""
        if self.exposure_s <= 0:
            return 1
        turn = Rotation.from_matrix(path[0, :3, :3].T @ path[-1, :3, :3]).magnitude()
        shift = np.linalg.norm(path[-1, :3, 3] - path[0, :3, 3]) / TYPICAL_DEPTH_M
        pixels = float(turn + shift) * focal * self.exposure_s / (2 * reach)
        if pixels <= STILL_PIXELS:
            return 1
        return int(np.clip(np.ceil(pixels / SAMPLE_PIXELS), min(SAMPLES_MIN, self.samples_max), self.samples_max))


def _between(knots: NDArray[np.float64], path: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the poses (n, 4, 4) at ``times`` (n,) between poses at ``knots``."""
    poses = np.tile(np.eye(4), (len(times), 1, 1))
    if knots[0] == knots[-1]:
        poses[:] = path[0]
        return poses
    inside = np.clip(times, knots[0], knots[-1])
    poses[:, :3, :3] = Slerp(knots, Rotation.from_matrix(path[:, :3, :3]))(inside).as_matrix()
    poses[:, :3, 3] = np.stack([np.interp(inside, knots, path[:, axis, 3]) for axis in range(3)], axis=-1)
    return poses
