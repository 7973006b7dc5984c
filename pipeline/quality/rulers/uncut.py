"""Which frames of a film count, each once, and which parts of a shot the stage ``clips`` cut no clip from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import Clip, LeftOut
from pipeline.quality.truth.film import TrueShot
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.stage import clips

ONE_FRAME = 1
"""Frames by which a transition that was found may be off without a frame of the shot being lost."""


@dataclass(frozen=True)
class Uncut:
    """What of a shot no clip spans. frames: (n,) int64, all of it; lost: (m,) those of it that would be kept."""

    frames: NDArray[np.int64]
    lost: NDArray[np.int64]


def shot_of(frame_index: NDArray[np.int64], shots: Sequence[TrueShot]) -> int | None:
    """Return which shot most of some frames (n,) show; None where none of them is in any."""
    inside = [int(((frame_index >= shot.start) & (frame_index < shot.end)).sum()) for shot in shots]
    return int(np.argmax(inside)) if any(inside) else None


def would_be_kept(shot: TrueShot, fps: float, settings: ClipsSettings) -> NDArray[np.int64]:
    """Return the frames (n,) that the stage ``clips`` would choose of a whole shot, were none blurred."""
    from pipeline.stages.clips.find import evenly_spaced

    return evenly_spaced(shot.start, shot.end, (shot.end - shot.start) / fps, settings)


def uncut_of(shot: TrueShot, fps: float, cut: Sequence[Clip], settings: ClipsSettings) -> Uncut:
    """Return what of a shot none of some clips spans.

    Stretches no longer than the step from one kept frame to the next, or than what is trimmed at a transition, are no
    part of it: the frames of the clips beside them are as many as they would be.
    """
    count, usual = shot.end - shot.start, would_be_kept(shot, fps, settings)
    spanned = np.zeros(count, np.bool_)
    for clip in cut:
        spanned[max(clip.start_frame - shot.start, 0) : max(clip.end_frame - shot.start, 0)] = True
    least = max(count / max(len(usual), 1), np.ceil(settings.trim_s * fps - 1e-9) + ONE_FRAME)
    bounds = np.flatnonzero(np.diff(~spanned, prepend=False, append=False)).reshape(-1, 2)
    for start, end in bounds.tolist():
        spanned[start:end] = end - start <= least and end - start < count
    frames = shot.start + np.flatnonzero(~spanned)
    return Uncut(frames, usual[np.isin(usual, frames)])


def counted_once(cut: Sequence[Clip], registered: Mapping[int, NDArray[np.bool_]]) -> dict[int, NDArray[np.bool_]]:
    """Return by clip which of its frames (n,) count as its own, so that none counts twice.

    Pieces of a shot share frames. One counts for the first clip in which it has a camera, else for the first.
    registered: by clip, which of its frames (n,) have a camera.
    """
    owner: dict[int, int] = {}
    for with_camera in (True, False):
        for clip in cut:
            chosen = clip.frame_index[registered[clip.clip_id] == with_camera]
            owner |= {frame: clip.clip_id for frame in chosen.tolist() if frame not in owner}
    return {
        clip.clip_id: np.array([owner[frame] == clip.clip_id for frame in clip.frame_index.tolist()]) for clip in cut
    }


def why_uncut(uncut: Uncut, cut: Sequence[Clip], left_out: Sequence[LeftOut]) -> str:
    """Say why the stage ``clips`` cut no clip from a part of a shot.

    Clips and what was left out are numbered together, so that a piece lies between the clips with the numbers next to
    its own.
    """
    there = []
    for item in left_out:
        if item.stage == clips.name and item.clip_id is not None:
            start = max((clip.end_frame for clip in cut if clip.clip_id < item.clip_id), default=0)
            end = min((clip.start_frame for clip in cut if clip.clip_id > item.clip_id), default=np.inf)
            if ((uncut.frames >= start) & (uncut.frames < end)).any():
                there.append(item)
    example = {item.code: item.detail for item in there}
    counted = Counter(item.code for item in there).most_common()
    reasons = ", ".join(f"{count} {code} ({example[code]})" for code, count in counted)
    return f"no clip was cut from {len(uncut.lost)} frames: {reasons or 'they were taken for a transition'}"
