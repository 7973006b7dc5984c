"""Single frames of a video, found by seeking: a look at a long video must not cost decoding all of it."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from pipeline.contract.arrays import Images
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.media import to_frame_size


def thumbnails(path: Path, times_s: Iterable[float]) -> Images:
    """Return the first frame at or after each time, (n, 480, 640, 3) uint8 RGB; a time past the end gives none."""
    with av.open(str(path)) as container:
        found = [picture for time_s in times_s if (picture := _picture_at(container, time_s)) is not None]
    return np.stack(found) if found else np.empty((0, FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)


def _picture_at(container: InputContainer, time_s: float) -> Images | None:
    stream = container.streams.video[0]
    container.seek(int(time_s * av.time_base))
    for frame in container.decode(stream):
        if frame.time is None or frame.time >= time_s - 1e-3:
            upright = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
            return to_frame_size(np.ascontiguousarray(upright))
    return None
