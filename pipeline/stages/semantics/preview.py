"""The picture of the stage ``semantics``."""

from PIL import Image

from pipeline.pictures.labels import label_overlay
from pipeline.pictures.stored import middle_row
from pipeline.store.groups import FRAMES, SCENE, SEMANTICS
from pipeline.store.video import VideoStore


def labelled_frame(video: VideoStore) -> Image.Image:
    """Return a frame with its labels laid over it."""
    row = middle_row(video, SCENE)
    rgb, labels = (video.read(group, name, row)[0] for group, name in ((FRAMES, "rgb"), (SEMANTICS, "labels")))
    return label_overlay(rgb, labels)
