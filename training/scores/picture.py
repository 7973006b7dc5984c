"""A prediction beside its truth, as a picture to look at."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.classes import SemanticClass
from pipeline.pictures.encode import jpeg
from pipeline.pictures.layout import below, beside, caption, scaled
from pipeline.pictures.voxels import isometric
from training.data import Sample


def prediction_picture(sample: Sample, predicted: NDArray[np.uint8], max_bytes: int) -> bytes:
    """Return a JPEG of ``prediction_page``."""
    return jpeg(prediction_page(sample, predicted), max_bytes)


def prediction_page(sample: Sample, predicted: NDArray[np.uint8]) -> Image.Image:
    """Return the picture, the predicted grid and the true one; unknown voxels of the truth are left out."""
    known = np.where(sample.labels == SemanticClass.UNKNOWN, np.uint8(SemanticClass.EMPTY), predicted)
    photo = scaled(Image.fromarray(sample.rgb), 240)
    grids = [isometric(labels, 320) for labels in (known, sample.labels)]
    parts = zip(("picture", "prediction", "truth"), (photo, *grids), strict=True)
    return beside(*(below(caption(name), part) for name, part in parts))
