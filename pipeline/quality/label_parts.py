"""``python -m pipeline.quality.label_parts``: where the labels of a dataset of rendered tours lose.

Its grids are filled again with every combination of scale, depth and names exact. Each is laid on the frame's camera in
the exact grid of the frame's room, which holds what furniture hides too; of what no camera of the clip saw, a grid
knows nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.progress import Lines, Progress, counted, silent
from pipeline.contract.records import FrameGrid
from pipeline.geometry.filling import VoxelSettings
from pipeline.store.groups import OCCUPANCY
from pipeline.store.store import Store, data_url
from pipeline.tours.exact_parts import COMBINATIONS, ClipWithTruth, ExactParts, clips_with_truth
from pipeline.tours.frozen import frozen_among, refuse_frozen
from pipeline.tours.grids import room_grid
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


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


def stored_tours(store: Store) -> dict[str, Tour]:
    """Return the rendered tours of a data folder that were built as far as their grids, by the id of the video.

    Raises:
        SettingsError: there is none.
        FrozenSeeds: some are kept for figures that are reported.
    """
    built = [video_id for video_id in store.video_ids() if store.video(video_id).has_group(OCCUPANCY)]
    refuse_frozen(frozen_among(store, built))
    found = {video_id: tour_of(store.video(video_id)) for video_id in built}
    tours = {video_id: tour for video_id, tour in found.items() if tour is not None}
    if not tours:
        raise SettingsError(
            f"{store.path('videos')} holds no rendered tour that was built as far as its grids, and of no other video "
            "exact ones are known: youtube-occ process tour://7 --profile small"
        )
    return tours


def count_parts(
    store: Store,
    tours: Mapping[str, Tour],
    every: int = 1,
    settings: VoxelSettings | None = None,
    progress: Progress = silent,
) -> dict[ExactParts, GridCounts]:
    """Count the grids of stored tours, of every n-th frame of each clip, by which parts of them are exact."""
    counts = {parts: GridCounts() for parts in COMBINATIONS}
    for video_id, tour in tours.items():
        for _, clip in clips_with_truth(store.video(video_id), tour):
            exact = {}
            for frame in counted(np.flatnonzero(clip.scene.registered)[::every].tolist(), progress, video_id):
                exact[frame] = room_grid(tour, tour.truth(int(clip.frame_index[frame])))
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


@app.command(epilog="Example: python -m pipeline.quality.label_parts --data data --every 4")
def main(
    data: Annotated[
        str | None, typer.Option(help="Data folder whose rendered tours are counted; YOUTUBE_OCC_DATA or ./data.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Of each clip's frames every n-th; neighbours are much alike.")] = 4,
) -> None:
    """Count where the labels of a dataset of rendered tours lose: scale, depth or names. Trains and changes nothing.

    Grids are filled again with each of the three exact, and with all of them together, and compared with the exact grid
    of the room, which holds what furniture hides too. Voxels that no camera of a clip saw are unknown to its grids: the
    first two columns count them as missed, the last three leave them out. About two processor-seconds a frame.
    """
    try:
        store = Store(data_url(data))
        counts = count_parts(store, stored_tours(store), every, progress=Lines())
    except PipelineError as error:
        typer.echo(f"{error.code}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(parts_table(counts))


if __name__ == "__main__":
    app()
