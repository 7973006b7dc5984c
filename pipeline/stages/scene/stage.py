"""Stage ``scene``: upright and in metres."""

import numpy as np

from pipeline.contract.errors import ClipError, NothingReconstructed
from pipeline.contract.records import LeftOut
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.scene.checks import depth_share, up_confidence
from pipeline.stages.scene.rows import append_scene, blank_scene
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.speed import check_speed
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import FRAMES, SCENE
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import clip_rows, read_reconstruction


@stage(
    code_version="3",
    settings=SceneSettings,
    inputs=("indoor_clips", "reconstruction"),
    output=GroupOutput(SCENE),
    preview=imported("pipeline.stages.scene.preview:plan_and_depth"),
    checks=(depth_share, up_confidence),
    resources=Resources(memory_gb=1),
)
def scene(workbench: Workbench, settings: SceneSettings, group: GroupWriter) -> StageResult:
    """Drop outliers, turn z up, fill windows and mirrors, put the floor at z = 0, scale walls to 2.8 m."""
    from pipeline.stages.scene.metric import to_metric

    left_out, sources, ups = [], [], []
    clips = clip_rows(workbench.video)
    for done, (clip_id, rows) in enumerate(clips):
        workbench.progress("scene", done, len(clips), f"clip {clip_id}")
        found, metric = read_reconstruction(workbench.video, rows), None
        if found.registered.any():
            try:
                upright = to_metric(found, settings)
                check_speed(upright, workbench.video.read(FRAMES, "time_s", rows), settings.fastest_m_s)
                metric = upright
                sources.append(metric.scale_source)
                ups.append(metric.up_confidence)
            except ClipError as error:
                left_out.append(LeftOut("scene", clip_id, error.code, str(error)))
        append_scene(group, metric or blank_scene(found))
    if not ups:
        message = f"{workbench.video.video_id}: no clip could be set upright ({len(left_out)} left out)"
        raise NothingReconstructed(message)
    counts = {"clips": len(ups), "mean_up_confidence": float(np.mean(ups))}
    notes = tuple(f"scale from {source.name.lower()}: {sources.count(source)} clips" for source in sorted(set(sources)))
    return StageResult("wall_height", counts, tuple(left_out), notes)
