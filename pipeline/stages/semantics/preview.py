"""The picture of the stage ``semantics``."""

from PIL import Image

from pipeline.pictures.labels import label_overlay
from pipeline.pictures.stored import middle_row
from pipeline.store.groups import SCENE, SEMANTICS
from pipeline.store.rows import read_pictures
from pipeline.store.video import VideoStore


def labelled_frame(video: VideoStore) -> Image.Image:
    """Return a frame with its labels laid over it."""
    row = middle_row(video, SCENE)
    return label_overlay(read_pictures(video, row)[0], video.read(SEMANTICS, "labels", row)[0])
