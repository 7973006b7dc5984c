"""The picture of the stage ``occupancy``."""

import numpy as np
from PIL import Image

from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.pictures.stored import grid_page
from pipeline.store.groups import FRAMES, OCCUPANCY
from pipeline.store.video import VideoStore


def fullest_grid(video: VideoStore) -> Image.Image:
    """Return the grid with most occupied voxels, beside its picture."""
    counts = video.read(OCCUPANCY, "class_counts")
    best = int(np.argmax(counts[:, list(OCCUPIED_CLASSES)].sum(axis=1)))
    row = slice(best, best + 1)
    return grid_page(video.read(FRAMES, "rgb", row)[0], video.read(OCCUPANCY, "labels", row)[0])
