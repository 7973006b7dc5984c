"""Single frames of a video, found by seeking: a look at a long video must not cost decoding all of it."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from pipeline.contract.arrays import Images
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box
from pipeline.media.container import opened
from pipeline.media.decoding import shown_frames
from pipeline.media.pictures import frame_picture


def thumbnails(path: Path, times_s: Iterable[float], box: Box = WHOLE) -> Images:
    """Return the first frame at or after each time, (n, 480, 640, 3) uint8 RGB; a time past the end gives none.

    times_s: seconds from the first frame shown. box: the part of the picture that is looked at.
    """
    with opened(path) as (container, stream):
        found = [picture for time_s in times_s if (picture := _picture_at(container, stream, time_s, box)) is not None]
    return np.stack(found) if found else np.empty((0, FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)


def _picture_at(container: InputContainer, stream: VideoStream, time_s: float, box: Box) -> Images | None:
    wanted = time_s + (container.start_time or 0) / av.time_base
    container.seek(int(wanted * av.time_base))
    for shown in shown_frames(container, stream):
        if shown.frame.time is None or shown.frame.time >= wanted - 1e-3:
            return frame_picture(shown.frame, stream, box)
    return None
