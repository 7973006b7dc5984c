"""Where the labels of a dataset of rendered tours lose: its grids, filled again with scale, depth or names exact.

Every combination of the three is filled. Each is laid on the frame's camera in the exact grid of the frame's room,
which holds what furniture hides too; of what no camera of the clip saw, a grid knows nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.records import FrameGrid
from pipeline.geometry.voxels import VoxelSettings
from pipeline.store.video import VideoStore
from pipeline.tours.exact_parts import COMBINATIONS, ClipWithTruth, ExactParts, clips_with_truth
from pipeline.tours.grids import room_grid
from pipeline.tours.tour import Tour


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


def count_clip(
    clip: ClipWithTruth,
    exact: Mapping[int, FrameGrid],
    counts: Mapping[ExactParts, GridCounts],
    settings: VoxelSettings,
) -> None:
    """Count all combinations in the exact grids of some of a clip's frames."""
    for parts, total in counts.items():
        for frame, grid in exact.items():
            total.add(clip.grid_within(grid, parts, frame, settings), grid.labels)


def count_parts(
    tours: Iterable[tuple[VideoStore, Tour]], every: int = 1, settings: VoxelSettings | None = None
) -> dict[ExactParts, GridCounts]:
    """Count the grids of stored tours, of every n-th frame of each clip, by which parts of them are exact."""
    counts = {parts: GridCounts() for parts in COMBINATIONS}
    for video, tour in tours:
        for _, clip in clips_with_truth(video, tour):
            frames = [int(frame) for frame in np.flatnonzero(clip.scene.registered)[::every]]
            exact = {frame: room_grid(tour, tour.truth(int(clip.frame_index[frame]))) for frame in frames}
            count_clip(clip, exact, counts, settings or VoxelSettings())
    return counts


def parts_table(counts: Mapping[ExactParts, GridCounts]) -> str:
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
