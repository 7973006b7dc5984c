"""The frames of a video by number, as pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box
from pipeline.media.container import opened
from pipeline.media.decoding import shown_frames
from pipeline.media.pictures import frame_picture, own_size_picture, small_picture
from pipeline.media.probe import length_of
from pipeline.media.seeking import pictures_near

SEEN_HEIGHT = 180


@dataclass(frozen=True)
class DecodedFrame:
    """One decoded frame as a picture (h, w, 3) uint8 RGB; the other fields are those of ``ShownFrame``."""

    index: int
    time_s: float
    rgb: Images
    follows: bool = True
    lost: int = 0


def iterate(path: Path, height: int) -> Iterator[DecodedFrame]:
    """Decode a whole video into small pictures of the given height, in one pass, a frame at a time.

    Raises:
        BrokenVideo: more than one packet in a hundred does not decode.
    """
    with opened(path) as (container, stream):
        for shown in shown_frames(container, stream):
            picture = small_picture(shown.frame, stream, height)
            yield DecodedFrame(shown.index, shown.time_s, picture, shown.follows, shown.lost)


def frames_at(
    path: Path, indices: NDArray[np.int64], boxes: Sequence[Box] = (), own_size: bool = False
) -> Iterator[DecodedFrame]:
    """Decode chosen frames in one pass, in the order of the video, as 640x480 RGB pictures.

    Args:
        path: the video.
        indices: (n,) frame numbers, in any order; repeated ones come once.
        boxes: the part of each frame that is looked at; none for all of it.
        own_size: whether pictures are as large as the film is there, in the same shape.

    Raises:
        BrokenVideo: more than one packet in a hundred does not decode, or the video ends before the last frame.
    """
    picture_of = own_size_picture if own_size else frame_picture
    wanted = dict(zip(indices.tolist(), boxes or [WHOLE] * len(indices), strict=True))
    with opened(path) as (container, stream):
        for shown in shown_frames(container, stream):
            if not wanted:
                return
            box = wanted.pop(shown.index, None)
            if box is not None:
                yield DecodedFrame(shown.index, shown.time_s, picture_of(shown.frame, stream, box))
    if wanted:
        raise BrokenVideo(f"{path.name} ends before frame {max(wanted)}")


def frames_near(path: Path, shares: NDArray[np.float64]) -> Iterator[Images]:
    """Yield a small picture, 180 rows, near each share of a video's length; found by seeking, so not to the frame.

    Args:
        path: the video.
        shares: (n,) of its length, 0 to 1, rising.

    Raises:
        BrokenVideo: nothing decodes there.
    """
    found = pictures_near(
        path, (shares * length_of(path)).tolist(), lambda shown, of: small_picture(shown.frame, of, SEEN_HEIGHT)
    )
    yield from (picture for picture in found if picture is not None)


def read_each(path: Path, clips: Sequence[NDArray[np.int64]], boxes: Sequence[Box] = ()) -> Iterator[Images]:
    """Yield the frames of every clip, (n, 480, 640, 3) uint8 RGB, in one pass over the video.

    Args:
        path: the video.
        clips: frame numbers of each clip, rising; what a clip does not share with the one ahead of it comes after that.
        boxes: the part of the picture that is looked at in each clip; none for all of it.

    Raises:
        BrokenVideo: as ``frames_at``.
    """
    ahead = [np.empty(0, np.int64), *clips]
    own = [clip[~np.isin(clip, before)] for before, clip in zip(ahead, clips, strict=False)]
    everything = np.concatenate([*own, np.empty(0, np.int64)])
    if np.any(np.diff(everything) <= 0) or any(np.any(np.diff(clip) <= 0) for clip in clips):
        raise ValueError("clips must follow one another, their frames rising")
    each = [box for new, box in zip(own, boxes or [WHOLE] * len(clips), strict=True) for _ in new]
    frames, held = frames_at(path, everything, each), dict[int, Images]()
    for clip, new in zip(clips, own, strict=True):
        held = {index: rgb for index, rgb in held.items() if index >= clip[0]}
        held |= {frame.index: frame.rgb for frame in islice(frames, len(new))}
        yield np.stack([held[index] for index in clip.tolist()])


def read_frames(path: Path, indices: NDArray[np.int64]) -> Images:
    """Return chosen frames, (n, 480, 640, 3) uint8 RGB, in the order of ``indices``; as ``frames_at``."""
    pictures = {frame.index: frame.rgb for frame in frames_at(path, np.unique(indices))}
    if not pictures:
        return np.empty((0, FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
    return np.stack([pictures[index] for index in indices.tolist()])
