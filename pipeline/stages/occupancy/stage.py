"""Stage ``occupancy``: one grid of labelled voxels a frame."""

import numpy as np

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.occupancy.checks import grid_shape
from pipeline.stages.occupancy.neighbours import Neighbours
from pipeline.stages.occupancy.rows import append_occupancy, blank_occupancy
from pipeline.stages.occupancy.settings import OccupancySettings
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import OCCUPANCY
from pipeline.store.outputs import GroupOutput


@stage(
    code_version="4",
    settings=OccupancySettings,
    inputs=("indoor_clips", "scene", "semantics"),
    output=GroupOutput(OCCUPANCY),
    preview=imported("pipeline.stages.occupancy.preview:fullest_grid"),
    checks=(grid_shape,),
    resources=Resources(memory_gb=1),
)
def occupancy(workbench: Workbench, settings: OccupancySettings, group: GroupWriter) -> StageResult:
    """Fill one grid a frame with the points of its clip and of clips beside it, and count the voxels of every class."""
    from pipeline.geometry.guesses import with_guesses
    from pipeline.geometry.voxels import voxelize

    neighbours = Neighbours(workbench.video, settings.clips_beside)
    totals, frames = np.zeros(len(COUNTED_CLASSES), np.int64), 0
    for place, (clip_id, rows) in enumerate(neighbours.clips):
        workbench.progress("occupancy", place, len(neighbours.clips), f"clip {clip_id}")
        (scene, labels), beside = neighbours.of(place)
        grids = blank_occupancy(rows.stop - rows.start)
        if scene.registered.any():
            grids = voxelize(scene, labels, settings, beside)
            grids = with_guesses(scene, grids, settings, [one for one, _ in beside])
        counts = append_occupancy(group, grids)
        totals += counts[scene.registered].sum(axis=0)
        frames += int(scene.registered.sum())
    shares = totals / max(totals.sum(), 1)
    summary = {"frames": frames, "share_occupied": shares[1:-1].sum(), "share_unknown": shares[-1]}
    return StageResult("points_and_rays", {key: float(value) for key, value in summary.items()})
