"""Stage ``reconstruction``: where the camera was, and how far everything is."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.contract.errors import NothingReconstructed
from pipeline.contract.records import LeftOut, Reconstruction
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.reconstruction.another_try import FinishedClips
from pipeline.stages.reconstruction.backends import SETTINGS, reconstructor
from pipeline.stages.reconstruction.film import ClipRows
from pipeline.stages.reconstruction.passes import Passes
from pipeline.stages.reconstruction.rows import (
    append_pictures,
    append_reconstruction,
    blank_reconstruction,
    further_arrays,
)
from pipeline.stages.reconstruction.settings import ReconstructionSettings
from pipeline.store.drafts import remove_tree
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import RECONSTRUCTION
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import clip_rows
from pipeline.store.video import VideoStore


@stage(
    code_version="11",
    settings=SETTINGS,
    inputs=("indoor_clips",),
    output=GroupOutput(RECONSTRUCTION),
    preview=imported("pipeline.stages.reconstruction.preview:depth_in_own_unit"),
    resources=Resources(cpus=2, memory_gb=2),
    published=imported("pipeline.stages.reconstruction.stage:forget_checkpoints"),
)
def reconstruction(workbench: Workbench, settings: ReconstructionSettings, group: GroupWriter) -> StageResult:
    """Find cameras, depth and confidence of every indoor clip, up to scale.

    Depth is stored in units of the clip's median depth, which keeps float16 at 0.05 % of any value. Where the clips of
    a video find that its lens bends straight lines, or that its shutter rolls, all is that of rectified pictures, which
    are stored, too.
    """
    video, backend, clips = workbench.video, reconstructor(settings), clip_rows(workbench.video)
    folder = _checkpoints(video) / workbench.wanted
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints, film = Passes(workbench, backend, clips, folder).run()
    left_out = [item for clip_id, _ in clips if isinstance(item := checkpoints.load(clip_id), LeftOut)]
    if len(left_out) == len(clips):
        reasons = "; ".join(f"clip {item.clip_id}: {item.code}: {item.detail}" for item in left_out)
        raise NothingReconstructed(f"{video.video_id}: no clip could be reconstructed ({reasons})", left_out)
    notes, probabilities = _collect(group, clips, checkpoints)
    counts: dict[str, float] = {"clips": len(clips) - len(left_out), "clips_left_out": len(left_out)}
    if known := [value for value in probabilities.values() if np.isfinite(value)]:
        counts["mean_probability_right"] = float(np.mean(known))
    if film.camera.changes:
        append_pictures(group, film)
        counts |= film.camera.as_counts()
        notes = (*film.camera.notes(), *notes)
    return StageResult(backend.name, counts, tuple(left_out), notes, backend.weights)


def forget_checkpoints(workbench: Workbench) -> None:
    """Remove the checkpoints of a reconstruction that lies in its place, and those of earlier settings."""
    remove_tree(_checkpoints(workbench.video))


def _checkpoints(video: VideoStore) -> Path:
    return video.scratch / "clips"


def _collect(
    group: GroupWriter, clips: ClipRows, checkpoints: FinishedClips
) -> tuple[tuple[str, ...], dict[int, float]]:
    """Write the clips one after another, so that memory holds one of them.

    Returns their notes, and by clip the probability that its reconstruction is right.
    """
    notes: list[str] = []
    probabilities: dict[int, float] = {}
    h, w = next(found.depth.shape[1:] for found in _reconstructed(clips, checkpoints))
    further = further_arrays(_reconstructed(clips, checkpoints))
    for clip_id, rows in clips:
        item = checkpoints.load(clip_id)
        if isinstance(item, LeftOut):
            item = blank_reconstruction(rows.stop - rows.start, h, w)
        notes += [f"clip {clip_id}: {note}" for note in item.notes]
        probabilities[clip_id] = item.probability_right
        append_reconstruction(group, item, further)
    return tuple(notes), probabilities


def _reconstructed(clips: ClipRows, checkpoints: FinishedClips) -> Iterator[Reconstruction]:
    found = (checkpoints.load(clip_id) for clip_id, _ in clips)
    return (item for item in found if isinstance(item, Reconstruction))
