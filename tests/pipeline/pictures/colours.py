"""Which colours a picture has, and where."""

import numpy as np
from PIL import Image

from pipeline.contract.classes import SemanticClass, palette


def colour_of(label: SemanticClass) -> tuple[int, ...]:
    return tuple(palette()[label].tolist())


def colours_of(picture: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.unique(np.asarray(picture).reshape(-1, 3), axis=0).tolist()}


def is_of_class(picture: Image.Image, label: SemanticClass) -> np.ndarray:
    difference = np.abs(np.asarray(picture).astype(int) - palette()[label])
    return difference.max(axis=-1) < 25
