"""Stage ``occupancy``: one grid of labelled voxels a frame."""

import numpy as np

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.contract.records import without_moving
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.occupancy.checks import grid_shape
from pipeline.stages.occupancy.rows import append_occupancy, blank_occupancy
from pipeline.stages.occupancy.settings import OccupancySettings
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import OCCUPANCY
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import clip_rows, read_labels, read_scene


@stage(
    code_version="2",
    settings=OccupancySettings,
    inputs=("indoor_clips", "scene", "semantics"),
    output=GroupOutput(OCCUPANCY),
    preview=imported("pipeline.stages.occupancy.preview:fullest_grid"),
    checks=(grid_shape,),
    resources=Resources(memory_gb=1),
)
def occupancy(workbench: Workbench, settings: OccupancySettings, group: GroupWriter) -> StageResult:
    """Fill one grid a frame, and count the voxels of every class."""
    from pipeline.geometry.guesses import with_guesses
    from pipeline.geometry.voxels import voxelize

    video = workbench.video
    clips, totals, frames = clip_rows(video), np.zeros(len(COUNTED_CLASSES), np.int64), 0
    for done, (clip_id, rows) in enumerate(clips):
        workbench.progress("occupancy", done, len(clips), f"clip {clip_id}")
        scene, grids = read_scene(video, rows), blank_occupancy(rows.stop - rows.start)
        if scene.registered.any():
            labels = read_labels(video, rows)
            scene = without_moving(scene, labels)
            grids = with_guesses(scene, voxelize(scene, labels, settings))
        counts = append_occupancy(group, grids)
        totals += counts[scene.registered].sum(axis=0)
        frames += int(scene.registered.sum())
    shares = totals / max(totals.sum(), 1)
    summary = {"frames": frames, "share_occupied": shares[1:-1].sum(), "share_unknown": shares[-1]}
    return StageResult("points_and_rays", {key: float(value) for key, value in summary.items()})
