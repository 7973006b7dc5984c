"""The picture of the stage ``video``."""

import numpy as np
from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen
from pipeline.pictures.clips import ClipRow, clip_sheet
from pipeline.pictures.thumbnails import thumbnails
from pipeline.store.groups import SOURCE_NOTES, SOURCE_VIDEO
from pipeline.store.video import VideoStore

SHOWN = 6


def frames_of_source(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return frames at equal distances over the whole video, with its size and length; whichever clip is ``chosen``."""
    del chosen
    source = video.read_json(SOURCE_NOTES)
    times = (np.arange(SHOWN) + 0.5) / SHOWN * source["duration_s"]
    with video.local_file(SOURCE_VIDEO) as path:
        pictures = thumbnails(path, times.tolist())
    text = f"{source['width']} x {source['height']}, {source['fps']:.4g} frames/s, {source['duration_s']:.1f} s"
    return clip_sheet([ClipRow(text, kept=True, pictures=pictures)])
