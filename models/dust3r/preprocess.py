"""Pictures as DUSt3R's own loader makes them, and the way back to the original pixels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from models.dust3r.heads import PATCH
from models.errors import UnusableInput

SQUARE = 224
"""The image size whose released networks were trained on squares; all others keep the picture's shape."""


@dataclass(frozen=True)
class Crop:
    """How a picture of ``original`` size was resized to ``resized`` and cut: all (width, height), pixels.

    left, top: corner of the cut in the resized picture; ``size`` is what the network sees.
    """

    original: tuple[int, int]
    resized: tuple[int, int]
    left: int
    top: int
    size: tuple[int, int]

    def original_intrinsics(self, intrinsics: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carry intrinsics (..., 3, 3) of the network's picture over to the original one, pixel centres at + 0.5."""
        (width, height), (new_width, new_height) = self.original, self.resized
        uncut = np.array([[1.0, 0, self.left], [0, 1, self.top], [0, 0, 1]])
        original: NDArray[np.float64] = np.diag([width / new_width, height / new_height, 1.0]) @ uncut @ intrinsics
        return original

    def uncut(self, maps: NDArray[np.floating]) -> NDArray[np.float32]:
        """Put maps (n, h, w) of the network's picture into the whole resized one; 0 where nothing was seen."""
        width, height = self.resized
        whole = np.zeros((len(maps), height, width), np.float32)
        whole[:, self.top : self.top + self.size[1], self.left : self.left + self.size[0]] = maps
        return whole


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a picture file, turned as its EXIF orientation says: (H, W, 3) uint8 RGB.

    Raises:
        UnusableInput: no picture that can be read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UnusableInput(f"{path.name} is no readable picture: {error}") from error


def preprocess(
    pictures: NDArray[np.uint8], image_size: int = 512, *, square_ok: bool = False, keep_shape: bool = False
) -> tuple[Tensor, Crop]:
    """Resize and cut pictures (n, H, W, 3) uint8 RGB to (n, 3, h, w) float32 in [-1, 1], sides multiples of 16.

    The long side becomes ``image_size``; square pictures are cut to 4:3 unless ``square_ok``. 224: a square of 224,
    unless ``keep_shape``, for networks that were trained on pictures of another shape.

    Raises:
        UnusableInput: another kind of array, or pictures too flat to leave one patch.
    """
    if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8 or 0 in pictures.shape:
        raise UnusableInput(f"pictures must be (n, H, W, 3) uint8 RGB, not {pictures.shape} {pictures.dtype}")
    height, width = pictures.shape[1:3]
    crop = plan_crop(width, height, image_size, square_ok=square_ok, keep_shape=keep_shape)
    cut = np.stack([_resize_and_cut(picture, crop) for picture in pictures])
    return torch.from_numpy(cut).permute(0, 3, 1, 2).float().div(255).sub(0.5).div(0.5).contiguous(), crop


def plan_crop(width: int, height: int, image_size: int, *, square_ok: bool = False, keep_shape: bool = False) -> Crop:
    """Sizes that the loader gives a picture.

    Raises:
        UnusableInput: too flat to leave one patch.
    """
    square = image_size == SQUARE and not keep_shape
    stretch = max(width / height, height / width) if square else 1
    long_side = round(image_size * stretch)
    resized = (round(width * long_side / max(width, height)), round(height * long_side / max(width, height)))
    centre = (resized[0] // 2, resized[1] // 2)
    if square:
        half_width = half_height = min(centre)
    else:
        half_width, half_height = (2 * side // PATCH * PATCH // 2 for side in centre)
        if resized[0] == resized[1] and not square_ok:
            half_height = 3 * half_width // 4 // 8 * 8
    if min(half_width, half_height) < PATCH // 2:
        raise UnusableInput(f"a picture of {width}x{height} is too flat for the network")
    left, top = centre[0] - half_width, centre[1] - half_height
    return Crop((width, height), resized, left, top, (2 * half_width, 2 * half_height))


def _resize_and_cut(picture: NDArray[np.uint8], crop: Crop) -> NDArray[np.uint8]:
    shrinks = max(crop.original) > max(crop.resized)
    method = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
    resized = Image.fromarray(picture).resize(crop.resized, method)
    box = (crop.left, crop.top, crop.left + crop.size[0], crop.top + crop.size[1])
    return np.asarray(resized.crop(box))
