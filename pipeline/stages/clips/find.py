"""Chooses the frames of every shot that make a clip."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.records import WHOLE, Box, Clip, LeftOut, Segment
from pipeline.media import read_each, unpadded
from pipeline.sources.duplicates.perceptual import CROPS, clip_hashes, seen_before
from pipeline.stages.clips.correspondence import flow
from pipeline.stages.clips.scores import clip_scores
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.shots import Shot, ShotList, detect_shots
from pipeline.stages.clips.unwanted import objection

STAGE = "clips"
MOTION_SIZE = (160, 120)
# Detection decodes every frame and runs the detectors; the second pass only decodes.
DETECTION_SHARE = 0.8
PICTURE_MIN = 0.2
"""Part of the width and of the height that bars must leave."""

PICTURES_OF_LEFT_OUT = 4
"""Frames whose times are kept of what is left out, so that contact sheets can show it."""


class FoundClips(NamedTuple):
    """The clips of a video; shots that make none; damaged packets that were skipped."""

    clips: list[Clip]
    left_out: list[LeftOut]
    lost: int


def find_clips(
    path: Path,
    settings: ClipsSettings,
    progress: Callable[[float], None] = lambda _: None,
    segments: Sequence[Segment] = (),
) -> FoundClips:
    """Return the clips of a video and the shots that make none (paper, section 3.1).

    Shots are trimmed at shot changes, not at the ends of the file. A shot longer than ``frames_max`` frames at
    ``frames_per_second`` is split into clips of equal length, which share ``shared_frames`` frames. Clips and left-out
    shots are numbered together, in order. What nobody wants is left out by name (``unwanted``), a camera that stands
    still with it.

    Args:
        path: the video.
        settings: of this stage.
        progress: called with the share done, 0 to 1.
        segments: the only stretches of the video that are wanted; none for all of it.

    Raises:
        BrokenVideo: a frame does not decode.
    """
    shot_list = detect_shots(path, settings, lambda share: progress(DETECTION_SHARE * share))
    shot_list = replace(shot_list, shots=_inside(shot_list, segments)) if segments else shot_list
    chosen = _chosen(shot_list, settings)
    clips = [item for item in chosen if isinstance(item, Clip)]
    left_out = [item for item in chosen if isinstance(item, LeftOut)]
    pictures = read_each(path, [clip.frame_index for clip in clips], [clip.box for clip in clips])
    moving, seen = list[Clip](), np.empty((0, len(CROPS)), np.uint64)
    for done, (clip, stored) in enumerate(zip(clips, pictures, strict=True), start=1):
        progress(DETECTION_SHARE + (1 - DETECTION_SHARE) * done / len(clips))
        rgb = unpadded(stored)
        if why := objection(rgb, settings.leave_out):
            left_out.append(_left_out(clip.clip_id, *why, clip.time_s, clip.box))
            continue
        hashes = clip_hashes(rgb[_own(clip, moving)])
        scores = replace(clip_scores(rgb), repeats=seen_before(hashes, seen))
        moving.append(replace(clip, motion=_motion(rgb), scores=scores))
        seen = np.concatenate([seen, hashes])
    return FoundClips(moving, sorted(left_out, key=lambda item: item.clip_id or 0), shot_list.lost)


def _own(clip: Clip, before: Sequence[Clip]) -> NDArray[np.bool_]:
    """Return which frames (n,) of a clip it does not share with the clip before it."""
    return ~np.isin(clip.frame_index, before[-1].frame_index if before else ())


def _inside(shot_list: ShotList, segments: Sequence[Segment]) -> tuple[Shot, ...]:
    """Return the parts of shots that lie in one of the segments; overlapping segments count as one."""
    wanted = np.zeros(len(shot_list.time_s), bool)
    for segment in segments:
        wanted |= (shot_list.time_s >= segment.start_s) & (shot_list.time_s < segment.end_s)
    parts = []
    for shot in shot_list.shots:
        inside = np.flatnonzero(np.diff(wanted[shot.start_frame : shot.end_frame].astype(np.int8), prepend=0, append=0))
        bounds = shot.start_frame + inside.reshape(-1, 2)
        parts += [replace(shot, start_frame=int(start), end_frame=int(end)) for start, end in bounds]
    return tuple(parts)


def _chosen(shot_list: ShotList, settings: ClipsSettings) -> list[Clip | LeftOut]:
    """Return the pieces of all shots in order, each with its frames or why it has none."""
    chosen: list[Clip | LeftOut] = []
    for pieces in _pieces(shot_list, settings):
        of_shot = [_choose(clip_id, piece, shot_list, settings) for clip_id, piece in enumerate(pieces, len(chosen))]
        chosen += [*of_shot[:1], *(_begun(*pair, settings.shared_frames) for pair in pairwise(of_shot))]
    return chosen


def _begun(before: Clip | LeftOut, piece: Clip | LeftOut, shared: int) -> Clip | LeftOut:
    """Let a piece of a shot begin with the last ``shared`` frames of the one before it."""
    if not shared or isinstance(before, LeftOut) or isinstance(piece, LeftOut):
        return piece
    return replace(
        piece,
        start_frame=int(before.frame_index[-shared:][0]),
        frame_index=np.concatenate([before.frame_index[-shared:], piece.frame_index]),
        time_s=np.concatenate([before.time_s[-shared:], piece.time_s]),
        sharpness=np.concatenate([before.sharpness[-shared:], piece.sharpness]),
    )


def _pieces(shot_list: ShotList, settings: ClipsSettings) -> Iterator[list[Shot]]:
    """Yield every shot trimmed, a long one in several pieces."""
    for shot in shot_list.shots:
        trimmed = _trim(shot, shot_list, settings.trim_s)
        frames = _seconds(trimmed, shot_list.time_s) * settings.frames_per_second
        own = settings.frames_max if frames <= settings.frames_max + 1e-9 else _own_frames(settings)
        pieces = max(1, int(np.ceil(frames / own - 1e-9)))
        bounds = np.linspace(trimmed.start_frame, trimmed.end_frame, pieces + 1)
        times = shot_list.time_s[trimmed.start_frame : trimmed.end_frame]
        if not _has_one_rate(times):
            bounds = trimmed.start_frame + _frames_shown(times, np.linspace(0, 1, pieces + 1))
        bounds = bounds.round().astype(int).tolist()
        yield [replace(shot, start_frame=start, end_frame=end) for start, end in pairwise(bounds)]


def _own_frames(settings: ClipsSettings) -> int:
    """Return how many frames a piece may have besides those of the piece before it."""
    return max(1, settings.frames_max - settings.shared_frames)


def _trim(shot: Shot, shot_list: ShotList, trim_s: float) -> Shot:
    """Leave out the frames about a shot change; where another recording was joined there are no such frames."""
    start, end, time_s = shot.start_frame, shot.end_frame, shot_list.time_s
    if start > 0 and start not in shot_list.joins:
        start = int(np.searchsorted(time_s, time_s[start] + trim_s))
    if end < len(time_s) and end not in shot_list.joins:
        end = int(np.searchsorted(time_s, time_s[end] - trim_s, side="right"))
    return replace(shot, start_frame=min(start, end), end_frame=end)


def _seconds(shot: Shot, time_s: NDArray[np.float64]) -> float:
    """Return how long the frames of a shot are shown; the last of them as long as those before it on average."""
    count = shot.end_frame - shot.start_frame
    if count < 2:
        return 0.0
    return float(time_s[shot.end_frame - 1] - time_s[shot.start_frame]) * count / (count - 1)


def _choose(clip_id: int, shot: Shot, shot_list: ShotList, settings: ClipsSettings) -> Clip | LeftOut:
    seconds, available = _seconds(shot, shot_list.time_s), shot.end_frame - shot.start_frame
    times = shot_list.time_s[shot.start_frame : shot.end_frame]
    if seconds < settings.clip_min_s:
        return _left_out(clip_id, "TooShort", f"{seconds:.2f} s, less than {settings.clip_min_s:g} s", times)
    left = min(shot.box.right - shot.box.left, shot.box.bottom - shot.box.top)
    if left < PICTURE_MIN:
        return _left_out(clip_id, "MostlyBars", f"bars leave {left:.0%} of a side of the picture", times)
    if available < settings.frames_min:
        return _left_out(clip_id, "TooFewFrames", f"{available} frames, fewer than {settings.frames_min}", times)
    kept = evenly_spaced(shot.start_frame, shot.end_frame, seconds, settings, settings.frames_max, times)
    kept = _sharper(kept, shot_list.sharpness, settings.blur_ratio)
    shown_at, sharpness = shot_list.time_s[kept], shot_list.sharpness[kept]
    box = shot.box._replace(whole=settings.upright == "whole")
    return Clip(clip_id, shot.start_frame, shot.end_frame, kept, shown_at, sharpness, motion=0.0, box=box)


def _left_out(clip_id: int, code: str, detail: str, time_s: NDArray[np.float64], box: Box = WHOLE) -> LeftOut:
    """Return what is said of a piece of a shot that makes no clip; ``time_s`` (n,) are those of its frames, seconds."""
    some = np.unique(np.linspace(0, max(0, len(time_s) - 1), PICTURES_OF_LEFT_OUT).astype(int))
    return LeftOut(STAGE, clip_id, code, detail, tuple(time_s[some[some < len(time_s)]].round(3).tolist()), box)


def evenly_spaced(
    start: int,
    end: int,
    seconds: float,
    settings: ClipsSettings,
    most: int | None = None,
    time_s: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return which of the frames from ``start`` up to, not including, ``end`` a clip of them has; at most ``most``.

    time_s: (end - start,) times of these frames, seconds; None where they follow each other at one rate.
    """
    available = wanted = end - start
    if available > settings.keep_all_up_to:
        wanted = max(round(seconds * settings.frames_per_second), settings.frames_min)
        wanted = min(wanted, available, most or available)
    places = np.arange(wanted) + 0.5
    by_number = (places * available / wanted).astype(np.int64)
    if time_s is None or wanted == available or _has_one_rate(time_s):
        return start + by_number
    nearest = np.unique(np.minimum(_frames_shown(time_s, places / wanted).round().astype(np.int64), available - 1))
    return start + (nearest if len(nearest) >= settings.frames_min else by_number)


def _frames_shown(time_s: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many of some frames (n,) have been shown, parts of one included, after shares (k,) of their time."""
    ends_s = time_s[-1] + (time_s[-1] - time_s[0]) / (len(time_s) - 1)
    at_s = time_s[0] + shares * (ends_s - time_s[0])
    return np.asarray(np.interp(at_s, [*time_s, ends_s], np.arange(len(time_s) + 1)))


def _has_one_rate(time_s: NDArray[np.float64]) -> bool:
    """Tell whether no frame (n,) is shown a mean span sooner or later than at the mean rate.

    Then their numbers say where they lie in time, more exactly than times, which containers round.
    """
    if len(time_s) < 3:
        return True
    even = np.linspace(time_s[0], time_s[-1], len(time_s))
    return bool(np.abs(time_s - even).max() < even[1] - even[0])


def _sharper(kept: NDArray[np.int64], sharpness: NDArray[np.float32], blur_ratio: float) -> NDArray[np.int64]:
    """Replace blurred frames by the sharpest of their neighbours, less than half way to the next frame kept."""
    reach = (int(np.diff(kept).min()) - 1) // 2
    around = kept[:, None] + np.arange(-reach, reach + 1)
    around = np.clip(around, kept[0], kept[-1])
    best = around[np.arange(len(kept)), np.argmax(sharpness[around], axis=1)]
    return np.where(sharpness[kept] < blur_ratio * sharpness[best], best, kept)


def _motion(rgb: Images) -> float:
    """Return the median length of the optical flow between successive frames, in picture widths."""
    small = [cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), MOTION_SIZE) for frame in rgb]
    lengths = [np.linalg.norm(flow(np.asarray(a), np.asarray(b)), axis=2) for a, b in pairwise(small)]
    return float(np.median(lengths)) / MOTION_SIZE[0]
