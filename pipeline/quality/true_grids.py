"""The exact labels of the voxels of a stored tour's grids, for looking at them side by side."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import WHOLE
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.poses import depth_errors, resize_nearest
from pipeline.geometry.voxels import grid_from_estimate
from pipeline.pictures.viewer.clip_view import ClipView
from pipeline.store.groups import FRAMES, OCCUPANCY, SCENE
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.truth import as_stored, tour_of, true_clip


class TrueGrids(NamedTuple):
    """What voxels truly hold, labels (n, 60, 60, 36) uint8, and the true size over the estimated one."""

    labels: NDArray[np.uint8]
    scale: float


def true_grids(video: VideoStore, view: ClipView) -> TrueGrids | None:
    """Return what the voxels of the shown frames truly hold; None where the video is no tour.

    The true room is laid on the camera of each frame at the size that was estimated for the stored one, so that both
    fill the same voxels where shapes and names are right; how wrong the size is, ``scale`` says.

    Raises:
        FrozenSeeds: the tour is frozen, and no look at it was logged.
        StageMissing: the video is half built, or gone.
    """
    tour = tour_of(video)
    if tour is None:
        return None
    box = next((clip.box for clip in stored_clips(video) if clip.clip_id == view.clip_id), WHOLE)
    known = true_clip(tour, video.read(FRAMES, "frame_index")[view.rows], box)
    truth = known.for_grids()
    origins, into_grids = (video.read(OCCUPANCY, name)[view.rows] for name in ("origin", "grid_from_world"))
    settings = _settings(video)
    depth = video.read(SCENE, "depth")[view.rows].astype(np.float32)
    true_depth = resize_nearest(as_stored(video, known, view.rows).depth_of_room, depth.shape[1:])
    scale = depth_errors(depth, true_depth).scale
    labels = np.stack(
        [
            fill_grid(
                truth.scene,
                truth.semantics,
                origins[i],
                grid_from_estimate(into_grids[i], view.camera_to_world[i], truth.scene.camera_to_world[i], 1 / scale),
                settings,
                SemanticClass.UNKNOWN,
            )
            for i in range(len(view.rows))
        ]
    )
    return TrueGrids(labels, scale)


def _settings(video: VideoStore) -> VoxelSettings:
    """Return how the stored grids were filled, as far as exact depth asks and this release has such settings."""
    noted = video.attributes(OCCUPANCY).get("settings", {})
    return VoxelSettings.model_validate(
        {key: noted[key] for key in VoxelSettings.model_fields if key in noted}
    ).of_points()
