"""What is exactly true of one frame of a tour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.camera import PictureCamera
from pipeline.tours.effects.lens import Lens
from pipeline.tours.effects.shutter import RowCamera
from pipeline.tours.materials import SurfaceKind
from pipeline.tours.timeline import ShotKind


@dataclass(frozen=True)
class FrameTruth:
    """What is exactly true of one frame; in a transition, of the shot that is more visible.

    intrinsics: (3, 3) float32, pixels. camera_to_world: (4, 4) float32, metres, of the row in the middle.
    depth: (480, 640) float32, z-depth in metres, 0 = sky or no surface.
    labels: (480, 640) uint8, 255 outdoors, in the sky, on title cards and under captions and bars.
    instances: (480, 640) uint16, 0 = none. surfaces: (480, 640) uint8, ``SurfaceKind``; depth, labels are of the pane
    or mirror, not of what it shows. distortion: k1 of ``effects.lens``. row_poses: (480, 4, 4) float64, pose of
    every row where rows have poses of their own, whose depth is along their own camera's axis.
    left_out: why the shot belongs into no dataset, empty where it does.
    """

    intrinsics: NDArray[np.float32]
    camera_to_world: NDArray[np.float32]
    depth: NDArray[np.float32]
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint16]
    surfaces: NDArray[np.uint8]
    shot_id: int
    kind: ShotKind
    in_transition: bool
    distortion: float = 0.0
    row_poses: NDArray[np.float64] | None = None
    left_out: str = ""

    def camera(self) -> PictureCamera:
        """Return the camera whose pixels see what ``depth`` says, in any world."""
        poses = np.broadcast_to(self.camera_to_world.astype(np.float64), (FRAME_HEIGHT, 4, 4))
        rows = poses if self.row_poses is None else self.row_poses
        return RowCamera(Lens(self.intrinsics, self.distortion), rows, FRAME_WIDTH)

    @property
    def glass(self) -> NDArray[np.bool_]:
        """Where a pane is looked through, (480, 640)."""
        return np.asarray(self.surfaces == SurfaceKind.GLASS)

    @property
    def mirror(self) -> NDArray[np.bool_]:
        """Where a mirror shows something else, (480, 640)."""
        return np.asarray(self.surfaces == SurfaceKind.MIRROR)

    @property
    def person(self) -> NDArray[np.bool_]:
        """Where somebody walks through the picture, (480, 640)."""
        return np.asarray(self.surfaces == SurfaceKind.PERSON)
