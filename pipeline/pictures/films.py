"""Pictures of stored frames as large as their film is, where it is still at hand, for those who train on pictures."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import NotReadableNow, VideoError
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, Box
from pipeline.geometry.rolling_shutter import Rectification
from pipeline.media.frames import DecodedFrame, frames_at
from pipeline.store.files import Files
from pipeline.store.frames import Frame
from pipeline.store.groups import CLIPS, FRAMES, SOURCE_VIDEO
from pipeline.store.rows import read_distortion, read_rolling_shutter, stored_clips
from pipeline.store.video import VideoStore

UNLIKE = 6.0
"""Mean difference, of 255 steps, from which on a picture is not that of the stored frame: the film is another now."""


class FilmPictures:
    """Pictures of frames at the size of their film; each film is decoded once where frames come in its order."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._film: _Film | None = None

    def picture(self, frame: Frame) -> Images:
        """Return the picture of a frame, rectified as the stored one is: (h, w, 3) uint8 RGB, 480 rows or more.

        It is the stored one where the film is gone, has no more rows, cannot be decoded, or shows something else there.

        Raises:
            NotReadableNow: this machine is short of something, or its disk does not answer.
        """
        video = VideoStore(self._files, frame.video_id).as_it_is()
        if self._film is None or self._film.video.video_id != frame.video_id:
            self._film = _film(video)
        try:
            found = self._film.picture(frame.row)
        except NotReadableNow:
            raise
        except VideoError:
            self._film, found = _Film(video), None
        return found if found is not None and _is_like(found, frame.picture) else frame.picture


@dataclass
class _Film:
    """A film while it is decoded. numbers: which frame of it lies in each row of the store; boxes: the part seen.

    lens, turned: by what the pictures of the store were rectified, as they keep it; None where they were not.
    """

    video: VideoStore
    numbers: list[int] = field(default_factory=list)
    boxes: dict[int, Box] = field(default_factory=dict)
    lens: Float64s | None = None
    turned: Float64s | None = None
    decoded: Iterator[DecodedFrame] = field(default_factory=lambda: iter(()))
    last: int = -1
    shared: dict[int, Images] = field(default_factory=dict)

    def picture(self, row: int) -> Images | None:
        """Return the picture of a row, or None where the film has no more rows than the store; decodes on to it."""
        if row >= len(self.numbers):
            return None
        number = self.numbers[row]
        rgb = self.shared[number] if number in self.shared else self._decode(number)
        if rgb.shape[0] <= FRAME_HEIGHT:
            return None
        if self.lens is None:
            return rgb
        turned = None if self.turned is None else self.turned[row : row + 1]
        return np.asarray(Rectification.of_rows(self.lens, turned).rectified(rgb[None])[0], np.uint8)

    def _decode(self, number: int) -> Images:
        if self.last < 0 or number <= self.last:
            self.decoded = self._from(number)
        rgb = next(found.rgb for found in self.decoded if found.index == number)
        self.last = number
        self.shared = {**self.shared, number: rgb} if self.numbers.count(number) > 1 else {}  # the next clip asks again
        return rgb

    def _from(self, first: int) -> Iterator[DecodedFrame]:
        wanted = [number for number in self.boxes if number >= first]
        with self.video.local_file(SOURCE_VIDEO) as path:
            yield from frames_at(path, np.array(wanted), [self.boxes[number] for number in wanted], own_size=True)


def _film(video: VideoStore) -> _Film:
    """Return the film of a video, without frames where it is not at hand."""
    if not (video.exists(SOURCE_VIDEO) and video.exists(CLIPS)):
        return _Film(video)
    try:
        box_of = {clip.clip_id: clip.box for clip in stored_clips(video)}
        numbers, ids = (video.read(FRAMES, name).tolist() for name in ("frame_index", "clip_id"))
        boxes = {number: box_of[clip_id] for number, clip_id in zip(numbers, ids, strict=True)}
        lens, turned = read_distortion(video), read_rolling_shutter(video)
    except (KeyError, VideoError):  # clips are being cut anew
        return _Film(video)
    return _Film(video, numbers, boxes, lens, turned)


def _is_like(picture: Images, stored: Images) -> bool:
    small = cv2.resize(picture, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_AREA)
    return float(cv2.absdiff(small, stored).mean()) < UNLIKE
