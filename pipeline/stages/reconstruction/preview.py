"""The picture of the stage ``reconstruction``."""

from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen
from pipeline.pictures.stored import depth_picture
from pipeline.store.groups import RECONSTRUCTION
from pipeline.store.video import VideoStore


def depth_in_own_unit(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return the depth of a frame beside its picture, in the reconstruction's own unit."""
    return depth_picture(video, RECONSTRUCTION, "x", chosen)
