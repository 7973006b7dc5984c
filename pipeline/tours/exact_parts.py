"""Stored clips of tours with parts of them exact: scale, depth with cameras, or the names of pixels."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import WHOLE, FrameGrid, MetricScene, Semantics, without_moving
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.poses import depth_errors, resize_nearest
from pipeline.geometry.voxels import grid_from_estimate, voxelize_frame
from pipeline.store.groups import FRAMES
from pipeline.store.rows import clip_rows, read_labels, read_scene, stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.tour import Tour
from pipeline.tours.truth import as_stored, true_clip

ExactParts = tuple[bool, bool, bool]
"""Which are exact: scale, depth (with the cameras), names."""
_EITHER = (False, True)
COMBINATIONS: tuple[ExactParts, ...] = tuple(product(_EITHER, _EITHER, _EITHER))


@dataclass(frozen=True)
class ClipWithTruth:
    """A clip of n frames as it was built, and the same frames exactly, both with depth of one size.

    scale: what gives the estimate its true size. frame_index: (n,) frames of the tour.
    """

    scene: MetricScene
    semantics: Semantics
    true_scene: MetricScene
    true_semantics: Semantics
    scale: float
    frame_index: NDArray[np.int64]

    def with_exact(self, parts: ExactParts) -> tuple[MetricScene, Semantics]:
        """Return the clip, some parts of it exact. Exact depth without exact scale has the size of the estimate."""
        scale, depth, names = parts
        scene = self.true_scene if depth else without_moving(self.scene, self.semantics)
        factor = {(True, False): self.scale, (False, True): 1 / self.scale}.get((scale, depth), 1.0)
        return resized(scene, factor), self.true_semantics if names else self.semantics

    def grid(self, parts: ExactParts, frame: int, settings: VoxelSettings | None = None) -> FrameGrid:
        """Return a frame's own grid, filled with parts of the clip exact."""
        return voxelize_frame(*self.with_exact(parts), frame, settings or VoxelSettings(), _unlabelled(parts))

    def grid_within(
        self, exact: FrameGrid, parts: ExactParts, frame: int, settings: VoxelSettings
    ) -> NDArray[np.uint8]:
        """Return the labels (60, 60, 36) that the clip, parts of it exact, gives an exact grid laid on a frame."""
        scene, semantics = self.with_exact(parts)
        cameras = self.true_scene.camera_to_world[frame], scene.camera_to_world[frame]
        into_grid = grid_from_estimate(exact.grid_from_world, *cameras)
        return fill_grid(scene, semantics, exact.origin, into_grid, settings, _unlabelled(parts))


def resized(scene: MetricScene, factor: float) -> MetricScene:
    """Return a scene ``factor`` times as large about the origin of its world, which lies on the floor."""
    cameras = scene.camera_to_world.copy()
    cameras[:, :3, 3] *= factor
    return replace(scene, camera_to_world=cameras, depth=scene.depth * np.float32(factor))


def clips_with_truth(video: VideoStore, tour: Tour) -> Iterator[tuple[slice, ClipWithTruth]]:
    """Yield every clip of a stored tour, with the rows of its frames in the video's arrays."""
    boxes = {clip.clip_id: clip.box for clip in stored_clips(video)}
    for clip_id, rows in clip_rows(video):
        scene, semantics = read_scene(video, rows), read_labels(video, rows)
        frame_index = video.read(FRAMES, "frame_index", rows)
        truth = as_stored(video, true_clip(tour, frame_index, boxes.get(clip_id, WHOLE)), rows)
        shape = scene.depth.shape[1:]
        true_scene, names = truth.for_grids().scene, truth.for_grids().semantics
        at_size = replace(
            true_scene,
            depth=resize_nearest(true_scene.depth, shape),
            confidence=resize_nearest(true_scene.confidence, shape),
            registered=scene.registered,
        )
        scale = depth_errors(scene.depth, resize_nearest(truth.depth_of_room, shape)).scale
        labels = replace(semantics, labels=resize_nearest(names.labels, shape))
        yield rows, ClipWithTruth(scene, semantics, at_size, labels, scale, frame_index)


def _unlabelled(parts: ExactParts) -> SemanticClass:
    """Return what points without a label are: outdoors where names are exact, else occupied without a name."""
    return SemanticClass.UNKNOWN if parts[2] else SemanticClass.UNNAMED
