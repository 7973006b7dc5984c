"""The picture of the stage ``semantics``."""

from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen, chosen_row
from pipeline.pictures.labels import label_overlay
from pipeline.store.groups import SCENE, SEMANTICS
from pipeline.store.rows import read_pictures
from pipeline.store.video import VideoStore


def labelled_frame(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return a frame with its labels laid over it."""
    row = chosen_row(video, SCENE, chosen)
    return label_overlay(read_pictures(video, row)[0], video.read(SEMANTICS, "labels", row)[0])
