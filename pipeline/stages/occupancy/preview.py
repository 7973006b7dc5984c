"""The picture of the stage ``occupancy``."""

import numpy as np
from PIL import Image

from pipeline.contract.classes import FILLED_LABELS
from pipeline.pictures.chosen import ANY, Chosen, chosen_clip, frame_row
from pipeline.pictures.stored import grid_page
from pipeline.store.groups import OCCUPANCY, SCENE
from pipeline.store.rows import read_class_counts, read_pictures
from pipeline.store.video import VideoStore


def fullest_grid(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return the grid with most occupied voxels, of the video or of a clip, or that of a frame, beside its picture."""
    rows = slice(0, len(read_class_counts(video)))
    if chosen != ANY:
        rows = chosen_clip(video, SCENE, chosen)
    best = rows.start + int(np.argmax(read_class_counts(video)[rows, list(FILLED_LABELS)].sum(axis=1)))
    row = slice(best, best + 1) if chosen.frame is None else frame_row(video, rows, chosen.frame)
    return grid_page(read_pictures(video, row)[0], video.read(OCCUPANCY, "labels", row)[0])
