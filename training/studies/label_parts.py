"""Where the labels of a dataset of rendered tours lose: its grids, filled again with scale, depth or names exact.

Every combination of the three is filled. Each is laid on the frame's camera in the exact grid of the frame's room,
which holds what furniture hides too; of what no camera of the clip saw, a grid knows nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.records import WHOLE, FrameGrid, MetricScene, Semantics, without_moving
from pipeline.geometry.poses import resize_nearest
from pipeline.geometry.voxels import VoxelSettings, fill_grid, grid_from_estimate
from pipeline.quality.measures import as_stored, scale_to_truth
from pipeline.store.groups import FRAMES
from pipeline.store.rows import clip_rows, read_labels, read_scene, stored_clips
from pipeline.store.video import VideoStore
from pipeline.tours.grids import room_grid
from pipeline.tours.tour import Tour
from pipeline.tours.truth import true_clip

Parts = tuple[bool, bool, bool]
"""Which are exact: scale, depth (with the cameras), names."""
COMBINATIONS: tuple[Parts, ...] = tuple(product((False, True), repeat=3))


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

    def with_exact(self, parts: Parts) -> tuple[MetricScene, Semantics]:
        """Return the clip, some parts of it exact. Exact depth without exact scale has the size of the estimate."""
        scale, depth, names = parts
        scene = self.true_scene if depth else without_moving(self.scene, self.semantics)
        factor = {(True, False): self.scale, (False, True): 1 / self.scale}.get((scale, depth), 1.0)
        return resized(scene, factor), self.true_semantics if names else self.semantics


def resized(scene: MetricScene, factor: float) -> MetricScene:
    """Return a scene ``factor`` times as large about the origin of its world, which lies on the floor."""
    cameras = scene.camera_to_world.copy()
    cameras[:, :3, 3] *= factor
    return replace(scene, camera_to_world=cameras, depth=scene.depth * np.float32(factor))


@dataclass
class GridCounts:
    """Counts of grids against exact ones: over all voxels, and over those that the grids know.

    in_all: a voxel unknown to a grid is not found. known, asked: how many voxels the grids know, of how many.
    """

    in_all: OverlapCounts = field(default_factory=OverlapCounts.nothing)
    in_known: OverlapCounts = field(default_factory=OverlapCounts.nothing)
    known: int = 0
    asked: int = 0

    def add(self, grid: NDArray[np.uint8], exact: NDArray[np.uint8]) -> None:
        """Count a grid."""
        unknown = grid == SemanticClass.UNKNOWN
        self.in_all += overlap(np.where(unknown, np.uint8(SemanticClass.EMPTY), grid), exact)
        self.in_known += overlap(grid, np.where(unknown, np.uint8(SemanticClass.UNKNOWN), exact))
        there = exact != SemanticClass.UNKNOWN
        self.known += int((there & ~unknown).sum())
        self.asked += int(there.sum())


def clips_with_truth(video: VideoStore, tour: Tour) -> Iterator[tuple[slice, ClipWithTruth]]:
    """Yield every clip of a stored tour, with the rows of its frames in the video's arrays."""
    boxes = {clip.clip_id: clip.box for clip in stored_clips(video)}
    for clip_id, rows in clip_rows(video):
        scene, semantics = read_scene(video, rows), read_labels(video, rows)
        frame_index = video.read(FRAMES, "frame_index", rows)
        truth = as_stored(video, true_clip(tour, frame_index, boxes.get(clip_id, WHOLE)))
        shape = scene.depth.shape[1:]
        true_scene, names = truth.for_grids().scene, truth.for_grids().semantics
        at_size = replace(
            true_scene,
            depth=resize_nearest(true_scene.depth, shape),
            confidence=resize_nearest(true_scene.confidence, shape),
            registered=scene.registered,
        )
        labels = replace(semantics, labels=resize_nearest(names.labels, shape))
        yield rows, ClipWithTruth(scene, semantics, at_size, labels, scale_to_truth(scene, truth), frame_index)


def count_clip(
    clip: ClipWithTruth, exact: Mapping[int, FrameGrid], counts: Mapping[Parts, GridCounts], settings: VoxelSettings
) -> None:
    """Count all combinations in the exact grids of some of a clip's frames."""
    for parts, total in counts.items():
        scene, semantics = clip.with_exact(parts)
        unlabelled = SemanticClass.UNKNOWN if parts[2] else SemanticClass.UNNAMED
        for frame, grid in exact.items():
            cameras = clip.true_scene.camera_to_world[frame], scene.camera_to_world[frame]
            into_grid = grid_from_estimate(grid.grid_from_world, *cameras)
            total.add(fill_grid(scene, semantics, grid.origin, into_grid, settings, unlabelled), grid.labels)


def count_parts(
    tours: Iterable[tuple[VideoStore, Tour]], every: int = 1, settings: VoxelSettings | None = None
) -> dict[Parts, GridCounts]:
    """Count the grids of stored tours, of every n-th frame of each clip, by which parts of them are exact."""
    counts = {parts: GridCounts() for parts in COMBINATIONS}
    for video, tour in tours:
        for _, clip in clips_with_truth(video, tour):
            frames = [int(frame) for frame in np.flatnonzero(clip.scene.registered)[::every]]
            exact = {frame: room_grid(tour, tour.truth(int(clip.frame_index[frame]))) for frame in frames}
            count_clip(clip, exact, counts, settings or VoxelSettings())
    return counts


def parts_table(counts: Mapping[Parts, GridCounts]) -> str:
    """Return the counts as Markdown, in points."""
    head = "| exact | IoU | mIoU | voxels known | IoU of these | mIoU of these | empty ones that are occupied |"
    lines = [head, "|---" * 7 + "|"]
    for parts, total in counts.items():
        exact = [name for name, is_exact in zip(("scale", "depth", "names"), parts, strict=True) if is_exact]
        whole, known = total.in_all, total.in_known
        emptied = int(known.predicted[SemanticClass.EMPTY] - known.matched[SemanticClass.EMPTY])
        wrong = emptied / max(int(known.predicted[SemanticClass.EMPTY]), 1)
        figures = (whole.iou, whole.miou, total.known / max(total.asked, 1), known.iou, known.miou, wrong)
        cells = " | ".join(f"{100 * figure:.1f}" for figure in figures)
        lines.append(f"| {', '.join(exact) or 'nothing'} | {cells} |")
    return "\n".join(lines)
