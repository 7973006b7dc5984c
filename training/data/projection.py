"""Where the voxels of a grid are in a picture, and which of them the picture shows.

The field's rule (MonoScene's and Symphonies' loaders): the centre of a voxel is projected and falls into a pixel; in
view are the voxels in front of the camera whose pixel lies inside the picture. Voxels come in C order of (x, y, z).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_centres
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

NEAREST_M = 1e-3
"""Centres closer than this to the camera's plane count as behind it: nothing is divided by zero."""


@dataclass(frozen=True)
class Projection:
    """Where voxels are in a picture.

    pixels: (129600, 2) int32, column and row of the pixel a voxel's centre falls into; 0 where not in view.
    depth: (129600,) float32, z-depth of the centres, metres, negative behind the camera.
    in_view: (129600,) bool.
    """

    pixels: NDArray[np.int32]
    depth: NDArray[np.float32]
    in_view: NDArray[np.bool_]

    def visible(self, depth: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which voxels (129600,) lie in view and not behind the surface of a depth map (480, 640), metres.

        Pixels without depth hide nothing. A voxel's half diagonal is granted, so that a surface's own voxels count.
        """
        surface = depth[self.pixels[:, 1], self.pixels[:, 0]]
        half_diagonal = VOXEL_SIZE * np.sqrt(3) / 2
        seen: NDArray[np.bool_] = self.in_view & ((surface <= 0) | (self.depth <= surface + half_diagonal))
        return seen


def project_voxels(
    intrinsics: NDArray[np.floating], camera_to_world: NDArray[np.floating], origin: NDArray[np.floating]
) -> Projection:
    """Project the centres of a grid of 60 x 60 x 36 voxels into a 640x480 picture; ties go to the even pixel.

    intrinsics: (3, 3), pixel centres at integers + 0.5. camera_to_world: (4, 4), metres. origin: (3,), metres.
    """
    world_to_camera = np.linalg.inv(np.asarray(camera_to_world, np.float64))
    matrix = (np.asarray(intrinsics, np.float64) @ world_to_camera[:3, :3]).astype(np.float32)
    offset = np.asarray(intrinsics, np.float64) @ (
        world_to_camera[:3, :3] @ np.asarray(origin, np.float64) + world_to_camera[:3, 3]
    )
    homogeneous = _offsets() @ matrix.T + offset.astype(np.float32)
    depth = homogeneous[:, 2]
    in_front = depth > NEAREST_M
    pixels = np.rint(homogeneous[:, :2] / np.where(in_front, depth, 1)[:, None] - 0.5)
    size = np.array([FRAME_WIDTH, FRAME_HEIGHT], np.float32)
    in_view = in_front & ((pixels >= 0) & (pixels < size)).all(axis=1)
    return Projection(np.where(in_view[:, None], pixels, 0).astype(np.int32), depth, in_view)


@cache
def _offsets() -> NDArray[np.float32]:
    return voxel_centres(np.zeros(3), GRID_SHAPE).reshape(-1, 3).astype(np.float32)
