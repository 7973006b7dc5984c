"""The picture of the stage ``occupancy``."""

import numpy as np
from PIL import Image

from pipeline.contract.classes import FILLED_LABELS
from pipeline.pictures.stored import grid_page
from pipeline.store.groups import OCCUPANCY
from pipeline.store.rows import read_class_counts, read_pictures
from pipeline.store.video import VideoStore


def fullest_grid(video: VideoStore) -> Image.Image:
    """Return the grid with most occupied voxels, beside its picture."""
    counts = read_class_counts(video)
    best = int(np.argmax(counts[:, list(FILLED_LABELS)].sum(axis=1)))
    row = slice(best, best + 1)
    return grid_page(read_pictures(video, row)[0], video.read(OCCUPANCY, "labels", row)[0])
