"""The exact labels of the voxels of a stored tour's grids, for looking at them side by side."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import WHOLE
from pipeline.geometry.voxels import VoxelSettings, fill_grid, grid_from_estimate
from pipeline.pictures.viewer.clip_view import ClipView
from pipeline.store.groups import FRAMES, OCCUPANCY
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.truth import tour_of, true_clip


def true_grids(video: VideoStore, view: ClipView) -> NDArray[np.uint8] | None:
    """Return what the voxels (n, 60, 60, 36) of the shown frames truly hold; None where the video is no tour.

    The true room is laid on the camera of each frame at the size that was estimated for the stored one, so that a
    wrong size shows as it is in the data.

    Raises:
        FrozenSeeds: the tour is frozen, and no look at it was logged.
        StageMissing: the video is half built, or gone.
    """
    tour = tour_of(video)
    if tour is None:
        return None
    box = next((clip.box for clip in stored_clips(video) if clip.clip_id == view.clip_id), WHOLE)
    truth = true_clip(tour, video.read(FRAMES, "frame_index")[view.rows], box).for_grids()
    origins, into_grids = (video.read(OCCUPANCY, name)[view.rows] for name in ("origin", "grid_from_world"))
    settings = _settings(video)
    return np.stack(
        [
            fill_grid(
                truth.scene,
                truth.semantics,
                origins[i],
                grid_from_estimate(into_grids[i], view.camera_to_world[i], truth.scene.camera_to_world[i]),
                settings,
                SemanticClass.UNKNOWN,
            )
            for i in range(len(view.rows))
        ]
    )


def _settings(video: VideoStore) -> VoxelSettings:
    """Return how the stored grids were filled, as far as this release has such settings."""
    noted = video.attributes(OCCUPANCY).get("settings", {})
    return VoxelSettings.model_validate({key: noted[key] for key in VoxelSettings.model_fields if key in noted})
