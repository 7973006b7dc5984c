"""Stage ``scene``: upright and in metres."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.contract.errors import ClipError, NothingReconstructed
from pipeline.contract.records import LeftOut
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.scene.checks import depth_share, up_confidence
from pipeline.stages.scene.kept import keep, kept
from pipeline.stages.scene.rows import append_scene, blank_scene
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.speed import check_speed
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import FRAMES, SCENE
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import clip_rows, read_reconstruction

if TYPE_CHECKING:
    from pipeline.stages.scene.heights import Scale
    from pipeline.stages.scene.metric import Upright


@stage(
    code_version="4",
    settings=SceneSettings,
    inputs=("indoor_clips", "reconstruction"),
    output=GroupOutput(SCENE),
    preview=imported("pipeline.stages.scene.preview:plan_and_depth"),
    checks=(depth_share, up_confidence),
    resources=Resources(memory_gb=1),
)
def scene(workbench: Workbench, settings: SceneSettings, group: GroupWriter) -> StageResult:
    """Drop outliers, turn z up, fill windows and mirrors, put the floor at z = 0, bring all to metres.

    All clips are set upright first and wait on disk; then they find their scales together.
    """
    from pipeline.stages.scene.metric import in_metres
    from pipeline.stages.scene.scales import find_scales

    video, clips = workbench.video, clip_rows(workbench.video)
    video.files.make_scratch()
    video.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=video.scratch) as scratch:
        folder = Path(scratch)
        standing, left_out = _set_upright(workbench, settings, clips, folder)
        found = find_scales([(one.levels, one.evidence) for one in standing.values()], settings)
        scales, done = dict(zip(standing, found, strict=True)), []
        for clip_id, rows in clips:
            metric = None
            if clip_id in standing:
                try:
                    made = in_metres(standing[clip_id], *kept(folder, clip_id), scales[clip_id])
                    check_speed(made, video.read(FRAMES, "time_s", rows), settings.fastest_m_s)
                    metric = made
                    done.append(scales[clip_id])
                except ClipError as error:
                    left_out[clip_id] = LeftOut("scene", clip_id, error.code, str(error))
            append_scene(group, metric or blank_scene(read_reconstruction(video, rows)))
    if not done:
        message = f"{video.video_id}: no clip could be set upright ({len(left_out)} left out)"
        raise NothingReconstructed(message)
    confidence = [one.up_confidence for clip_id, one in standing.items() if clip_id not in left_out]
    return _result(done, float(np.mean(confidence)), [left_out[clip_id] for clip_id in sorted(left_out)])


def _result(scales: Sequence["Scale"], up_confidence: float, left_out: Sequence[LeftOut]) -> StageResult:
    sources = [scale.source for scale in scales]
    notes = tuple(f"scale from {source.name.lower()}: {sources.count(source)} clips" for source in sorted(set(sources)))
    sigma = float(np.median([scale.sigma for scale in scales]))
    counts = {"clips": len(scales), "mean_up_confidence": up_confidence, "median_scale_sigma": sigma}
    return StageResult("wall_height", counts, tuple(left_out), notes)


def _set_upright(
    workbench: Workbench, settings: SceneSettings, clips: list[tuple[int, slice]], folder: Path
) -> tuple[dict[int, "Upright"], dict[int, LeftOut]]:
    """Set all clips upright; what is left of each waits in ``folder``. Returns how they stand, and who cannot."""
    from pipeline.stages.scene.metric import upright

    standing: dict[int, Upright] = {}
    left_out: dict[int, LeftOut] = {}
    for done, (clip_id, rows) in enumerate(clips):
        workbench.progress("scene", done, len(clips), f"clip {clip_id}")
        found = read_reconstruction(workbench.video, rows)
        if not found.registered.any():
            continue
        try:
            standing[clip_id], cleaned, guessed = upright(found, settings)
            keep(folder, clip_id, cleaned, guessed)
        except ClipError as error:
            left_out[clip_id] = LeftOut("scene", clip_id, error.code, str(error))
    return standing, left_out
