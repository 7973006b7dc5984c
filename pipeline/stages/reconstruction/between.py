"""Frames between those that are stored, out of the clip's source: they help to find cameras and are not kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Clip
from pipeline.store.groups import CLIPS, SOURCE_VIDEO
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore


@dataclass(frozen=True)
class SourceFrames:
    """Looks into the source of one clip, which is decoded from its start on every call; none where it was deleted."""

    video: VideoStore
    clip_id: int

    def __call__(self, wanted: Sequence[int]) -> list[Images]:
        """Return for each step of the clip up to ``wanted`` frames (k, 480, 640, 3), evenly spread between its ends."""
        clip = self.clip()
        if clip is None or not self.video.exists(SOURCE_VIDEO):
            return []
        places = numbers_between(clip, wanted)
        counts = np.cumsum([len(steps) for steps in places])
        return np.split(_pictures(self.video, clip, list(chain.from_iterable(places))), counts[:-1])

    def clip(self) -> Clip | None:
        """Return the clip; None where it is not stored."""
        return next((clip for clip in _clips(self.video) if clip.clip_id == self.clip_id), None)


def numbers_between(clip: Clip, wanted: Sequence[int]) -> list[list[int]]:
    """Return for each step of a clip the numbers of up to ``wanted`` frames of its film, evenly spread."""
    return [spread_between(*ends, k) for ends, k in zip(pairwise(clip.frame_index.tolist()), wanted, strict=True)]


def spread_between(first: int, last: int, wanted: int) -> list[int]:
    """Return up to ``wanted`` whole numbers between two others, evenly spread, without the two."""
    return list(range(first + 1, last)) if last - first <= wanted else _evenly(first, last, wanted)


def _evenly(first: int, last: int, wanted: int) -> list[int]:
    return [first + (last - first) * (k + 1) // (wanted + 1) for k in range(wanted)]


def _pictures(video: VideoStore, clip: Clip, frames: list[int]) -> Images:
    from pipeline.media import read_each

    if not frames:
        return np.zeros((0, FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
    with video.local_file(SOURCE_VIDEO) as path:
        (pictures,) = read_each(path, [np.array(frames)], [clip.box])
    return pictures


def _clips(video: VideoStore) -> list[Clip]:
    return stored_clips(video) if video.exists(CLIPS) else []
