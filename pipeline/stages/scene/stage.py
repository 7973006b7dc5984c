"""Stage ``scene``: upright and in metres."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
from pipeline.store.rows import clip_rows, read_pictures, read_reconstruction

if TYPE_CHECKING:
    from pipeline.stages.scene.heights import Scale
    from pipeline.stages.scene.metric import Upright
    from pipeline.stages.scene.worlds import Pictures
    from pipeline.store.video import VideoStore


@stage(
    code_version="15",
    settings=SceneSettings,
    inputs=("indoor_clips", "reconstruction"),
    output=GroupOutput(SCENE),
    preview=imported("pipeline.stages.scene.preview:plan_and_depth"),
    checks=(depth_share, up_confidence),
    beside=imported("pipeline.stages.scene.table:placed_by"),
    resources=Resources(memory_gb=1),
)
def scene(workbench: Workbench, settings: SceneSettings, group: GroupWriter) -> StageResult:
    """Drop outliers, turn z up, fill windows and mirrors, put the floor at z = 0, bring all to metres.

    All clips are set upright first and wait on disk; then those that share frames or show one place are joined, and all
    find their scales together. What is found of their sizes goes to their rows of ``clips.parquet`` as well.
    """
    from pipeline.stages.scene.floors import floors_of
    from pipeline.stages.scene.metric import scales_of
    from pipeline.stages.scene.notes import notes_on
    from pipeline.stages.scene.table import sizes_of, write_sizes
    from pipeline.stages.scene.worlds import Stored, find_worlds

    video, clips = workbench.video, clip_rows(workbench.video)
    video.files.make_scratch()
    video.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=video.scratch) as scratch:
        folder = Path(scratch)
        standing, left_out = _set_upright(workbench, settings, clips, folder)
        stored = Stored(_frames(video, clips), lambda one: kept(folder, one)[0], _pictures(video, clips))
        worlds, joined = find_worlds(standing, stored, settings)
        known = zip(worlds, scales_of([world.stands for world in worlds], settings), strict=True)
        of_clip = {one: (world, world.scale_of(one, scale)) for world, scale in known for one in world.members}
        sizes: dict[int, dict[str, object]] = {}
        floors: dict[int, list[float]] = {}
        for clip_id, rows in clips:
            metric = None
            if clip_id in standing:
                try:
                    metric = of_clip[clip_id][0].in_metres(clip_id, *kept(folder, clip_id), of_clip[clip_id][1])
                    check_speed(metric, video.read(FRAMES, "time_s", rows), settings.fastest_m_s)
                    sizes[clip_id], floors[clip_id] = sizes_of(metric), floors_of(metric)
                except ClipError as error:
                    metric, left_out[clip_id] = None, LeftOut("scene", clip_id, error.code, str(error))
            append_scene(group, metric or blank_scene(read_reconstruction(video, rows)))
    if not sizes:
        message = f"{video.video_id}: no clip could be set upright ({len(left_out)} left out)"
        raise NothingReconstructed(message, [left_out[clip_id] for clip_id in sorted(left_out)])
    write_sizes(video, sizes, workbench.wanted)
    found = [(of_clip[clip_id][1], standing[clip_id].up_confidence) for clip_id in sizes]
    return _result(found, left_out, (*notes_on(of_clip, floors, worlds), *joined), workbench.wanted)


def _frames(video: "VideoStore", clips: list[tuple[int, slice]]) -> dict[int, NDArray[np.int64]]:
    """Return which frames of the video each clip has."""
    numbers = video.read(FRAMES, "frame_index")
    return {clip_id: numbers[rows] for clip_id, rows in clips}


def _pictures(video: "VideoStore", clips: list[tuple[int, slice]]) -> "Pictures":
    """Return what reads pictures of a clip by its id and their rows in it."""
    starts = {clip_id: rows.start for clip_id, rows in clips}
    return lambda clip_id, rows: read_pictures(video, starts[clip_id] + rows)


def _result(
    found: Sequence[tuple["Scale", float]], left_out: Mapping[int, LeftOut], notes: Sequence[str], beside: str
) -> StageResult:
    """Return what the stage says of clips, each with its scale and how sure it is of up."""
    scales, confidence = [scale for scale, _ in found], float(np.mean([sure for _, sure in found]))
    sources = [scale.source for scale in scales]
    said = [f"scale from {source.name.lower()}: {sources.count(source)} clips" for source in sorted(set(sources))]
    sigma = float(np.median([scale.sigma for scale in scales]))
    counts = {"clips": len(scales), "mean_up_confidence": confidence, "median_scale_sigma": sigma}
    lost = tuple(left_out[clip_id] for clip_id in sorted(left_out))
    return StageResult("wall_height", counts, lost, (*said, *notes), beside=beside)


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
