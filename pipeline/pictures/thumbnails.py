"""Single frames of a video, as large as those of the store."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box
from pipeline.media.pictures import frame_picture
from pipeline.media.seeking import pictures_near


def thumbnails(path: Path, times_s: Iterable[float], box: Box = WHOLE) -> Images:
    """Return the first frame at or after each time, (n, 480, 640, 3) uint8 RGB; a time past the end gives none.

    times_s: seconds from the first frame shown. box: the part of the picture that is looked at.
    """
    near = pictures_near(path, list(times_s), lambda shown, stream: frame_picture(shown.frame, stream, box))
    found = [picture for picture in near if picture is not None]
    return np.stack(found) if found else np.empty((0, FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
