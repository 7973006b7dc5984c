"""Depth, cameras and labels of a clip become one grid of labelled 8 cm voxels a frame.

The paper (section 3.2) fixes the majority label, the 8 cm and the origin at the smallest corner; it is silent on what
is empty or unknown, and on points without a label (``filling``).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, VOXEL_SIZE
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, FrameGrid, MetricScene, Occupancy, Semantics
from pipeline.geometry.blocks import grid_blocks, grid_place
from pipeline.geometry.filling import LabelledClip, VoxelSettings, contiguous_depth, fill_grid, lifting


def voxelize(
    scene: MetricScene, semantics: Semantics, settings: VoxelSettings | None = None, beside: Sequence[LabelledClip] = ()
) -> Occupancy:
    """Fill the grid of every frame with the points and rays of the whole clip, and of clips ``beside`` it in its world.

    A frame without camera or depth gets an unknown grid at the origin of the world.
    """
    settings, n = settings or VoxelSettings(), len(scene.depth)
    labels = np.full((n, *GRID_SHAPE), SemanticClass.UNKNOWN, np.uint8)
    origin, grid_from_world = np.zeros((n, 3)), np.tile(np.eye(4), (n, 1, 1))
    frames = [frame for frame in range(n) if scene.registered[frame] and scene.depth[frame].any()]
    for frame in frames:
        grid_from_world[frame] = looking_along_y(scene.camera_to_world[frame])
        origin[frame] = grid_origin(scene, frame, grid_from_world[frame], settings)
    for block in grid_blocks(grid_place(frame, origin[frame], grid_from_world[frame]) for frame in frames):
        filled = fill_grid(scene, semantics, block.origin, np.eye(4), settings, beside=beside, shape=block.shape)
        for place in block.places:
            labels[place.frame] = block.cut(filled, place)
    return Occupancy(labels, origin.astype(np.float32), grid_from_world.astype(np.float32))


def clip_of_arrays(
    depth: NDArray[np.floating],
    intrinsics: NDArray[np.floating],
    camera_to_world: NDArray[np.floating],
    labels: NDArray[np.uint8],
) -> tuple[MetricScene, Semantics]:
    """Return a clip of depth (n, h, w), intrinsics (n, 3, 3) in pixels of the depth maps, poses (n, 4, 4) and labels.

    Raises:
        ValueError: the shapes do not fit together.
    """
    n, h, w = depth.shape
    if intrinsics.shape != (n, 3, 3) or camera_to_world.shape != (n, 4, 4) or labels.shape != (n, h, w):
        message = (
            f"depth {depth.shape} wants intrinsics ({n}, 3, 3), camera_to_world ({n}, 4, 4), labels ({n}, {h}, {w}), "
            f"not {intrinsics.shape}, {camera_to_world.shape}, {labels.shape}"
        )
        raise ValueError(message)
    to_picture = np.array([FRAME_WIDTH / w, FRAME_HEIGHT / h, 1.0])[:, None]
    cameras = (intrinsics * to_picture).astype(np.float32), camera_to_world.astype(np.float32)
    return MetricScene.known(*cameras, depth.astype(np.float32)), Semantics(labels, np.zeros(depth.shape, np.uint16))


def voxelize_frame(
    scene: MetricScene,
    semantics: Semantics,
    frame: int,
    settings: VoxelSettings | None = None,
    unlabelled: SemanticClass = SemanticClass.UNNAMED,
    beside: Sequence[LabelledClip] = (),
) -> FrameGrid:
    """Place the grid of one frame by what that frame sees, and fill it with the points and rays of the whole clip.

    unlabelled, beside: as of ``fill_grid``.
    """
    settings = settings or VoxelSettings()
    if not (scene.registered[frame] and scene.depth[frame].any()):
        return FrameGrid(np.full(GRID_SHAPE, SemanticClass.UNKNOWN, np.uint8), np.zeros(3), np.eye(4))
    grid_from_world = looking_along_y(scene.camera_to_world[frame])
    origin = grid_origin(scene, frame, grid_from_world, settings)
    labels = fill_grid(scene, semantics, origin, grid_from_world, settings, unlabelled, beside)
    return FrameGrid(labels, origin, grid_from_world)


def looking_along_y(camera_to_world: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the right-angle turn about z, (4, 4), after which the camera (4, 4) looks along +y, as in NYUv2.

    Of the four turns, the one that brings forward nearest +y; the first (0, 90, 180, 270 degrees) on ties.
    """
    forward_x, forward_y = camera_to_world[:2, 2]
    quarter = int(np.argmax([forward_y, forward_x, -forward_y, -forward_x]))
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarter]
    turn = np.eye(4)
    turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
    return turn


def grid_origin(
    scene: MetricScene, frame: int, grid_from_world: NDArray[np.float64], settings: VoxelSettings
) -> NDArray[np.float64]:
    """Return the corner (3,) of the frame's grid, metres in the grid frame.

    Its x and y are multiples of 0.08 m, so that grids of one clip share their voxels: the smallest corner of the voxels
    that the frame sees, or of the 4.8 m window that holds most seen points. Its z is 0.05 m below the frame's floor, to
    a voxel.
    """
    from pipeline.geometry.traversal import count_columns

    reach = round(settings.reach_m / VOXEL_SIZE)
    camera = (grid_from_world @ scene.camera_to_world[frame])[:2, 3]
    corner = np.floor(camera / VOXEL_SIZE) - reach
    voxel_from_pixel, centre = lifting(scene, frame, np.array([*corner, 0]) * VOXEL_SIZE, grid_from_world)
    counts = np.zeros((2 * reach, 2 * reach), np.int64)
    count_columns(contiguous_depth(scene, frame), voxel_from_pixel, centre, counts)
    corner = (corner + fullest_window(counts, GRID_SHAPE[0], GRID_SHAPE[1])) * VOXEL_SIZE
    floor = 0.0 if scene.floor_height is None else round(float(scene.floor_height[frame]) / VOXEL_SIZE) * VOXEL_SIZE
    return np.array([*corner, floor - FLOOR_MARGIN])


def fullest_window(counts: NDArray[np.int64], width: int, length: int) -> NDArray[np.int64]:
    """Return the smallest corner (2,) of the window of ``width x length`` columns that holds most of counts (X, Y).

    The window does not start before the first filled column of either axis, and lies within those filled where it
    can; of equally full windows, the lowest corner wins. Without any count it starts in the middle.
    """
    if not counts.any():
        return np.array(counts.shape) // 2
    x, y = np.flatnonzero(counts.any(axis=1)), np.flatnonzero(counts.any(axis=0))
    filled = counts[x[0] : x[-1] + 1, y[0] : y[-1] + 1]
    held = window_sums(window_sums(filled, width).T, length).T
    start: NDArray[np.int64] = np.array([x[0], y[0]]) + np.unravel_index(int(held.argmax()), held.shape)
    return start


def window_sums(counts: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Sum ``width`` neighbouring rows of counts (m, n), a row of (max(m - width, 0) + 1, n) for every start inside."""
    sums = np.concatenate([np.zeros_like(counts[:1]), counts.cumsum(axis=0)])
    starts = np.arange(max(len(counts) - width, 0) + 1)
    held: NDArray[np.int64] = sums[np.minimum(starts + width, len(counts))] - sums[starts]
    return held


def grid_from_estimate(
    true_grid_from_world: NDArray[np.floating],
    true_camera_to_world: NDArray[np.floating],
    estimated_camera_to_world: NDArray[np.floating],
    scale: float = 1.0,
) -> NDArray[np.float64]:
    """Return the similarity (4, 4) from an estimated world to a true grid, both laid on one frame's camera.

    ``fill_grid`` with the true origin and this matrix puts an estimated scene into the true grid, so that both describe
    the same part of the camera's view, whatever the two worlds are.

    scale: what the estimated scene is multiplied with, for instance to give it the true size.
    """
    world_from_camera = np.asarray(true_camera_to_world, np.float64) @ np.diag([scale, scale, scale, 1.0])
    camera_from_estimate = np.linalg.inv(np.asarray(estimated_camera_to_world, np.float64))
    return np.asarray(true_grid_from_world, np.float64) @ world_from_camera @ camera_from_estimate
