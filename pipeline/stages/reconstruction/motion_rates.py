"""How fast the pictures of chosen frames of a film move, by the frames just before and after each, in one pass."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import Clip
from pipeline.geometry.distortion import Distortion
from pipeline.geometry.picture_motion import MOTION, Grey, Neighbour, motion_rate
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.video import VideoStore

APART_S = 1 / 31
"""Seconds to a neighbour at least: films of 60 frames a second often show each of 30 twice."""


class _Shown(NamedTuple):
    grey: Grey
    time_s: float


def motion_rates(
    video: VideoStore, wanted: Sequence[tuple[Clip, Sequence[int]]], lens: Distortion
) -> list[Float64s] | None:
    """Return for each clip how fast some frames of it move (k, 9), as ``geometry.picture_motion`` says.

    The film is decoded once; a few pictures are in memory. None where it is no longer there, or no longer whole.

    wanted: clips in the order of the film, each with frame numbers (k,). lens: by which pixels are straightened.
    """
    if not video.exists(SOURCE_VIDEO):
        return None
    clip_of = {number: clip for clip, numbers in wanted for number in numbers}
    try:
        found = dict(_rates(video, clip_of, lens))
    except BrokenVideo:
        return None
    nothing = np.full(MOTION, np.nan)
    return [np.array([found.get(n, nothing) for n in numbers]).reshape(-1, MOTION) for _, numbers in wanted]


def _rates(video: VideoStore, clip_of: Mapping[int, Clip], lens: Distortion) -> Iterator[tuple[int, Float64s]]:
    from pipeline.media import frames_at

    beside = {number: _neighbours(number, clip) for number, clip in clip_of.items()}
    boxes = {number: clip.box for number, clip in clip_of.items()}
    boxes |= {near: clip_of[number].box for number, found in beside.items() for near in found if near not in boxes}
    due, shown = sorted(clip_of), dict[int, _Shown]()
    numbers = sorted(boxes)
    with video.local_file(SOURCE_VIDEO) as path:
        for frame in frames_at(path, np.array(numbers, np.int64), [boxes[number] for number in numbers]):
            shown[frame.index] = _Shown(np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8), frame.time_s)
            while due and max((due[0], *beside[due[0]])) <= frame.index:
                number = due.pop(0)
                yield number, _rate(number, beside[number], shown, lens)
                least = min(chain.from_iterable((n, *beside[n]) for n in due[:1]), default=0)
                shown = {index: kept for index, kept in shown.items() if index >= least}


def _neighbours(number: int, clip: Clip) -> tuple[int, ...]:
    """Return the frames before and after one that are far enough away, of the same shot."""
    seconds = float(np.median(np.diff(clip.time_s) / np.diff(clip.frame_index))) if len(clip.frame_index) > 1 else 1.0
    step = max(1, int(np.ceil(APART_S / max(seconds, 1e-3))))
    return tuple(near for near in (number - step, number + step) if clip.start_frame <= near < clip.end_frame)


def _rate(number: int, beside: Sequence[int], shown: Mapping[int, _Shown], lens: Distortion) -> Float64s:
    grey, time_s = shown[number]
    others = [(shown[near].grey, shown[near].time_s - time_s) for near in beside if near in shown]
    return motion_rate(grey, [Neighbour(other, seconds) for other, seconds in others if seconds != 0], lens)
