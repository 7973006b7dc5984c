"""Pictures as Depth Anything 3's own loader makes them, and the way of intrinsics there and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.dinov2.backbone import PATCH
from models.errors import UnusableInput
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD

SIDE = 504
"""Length of the side that counts, in pixels, with which the released networks are used."""

_LONG, _SHORT = "upper_bound", "lower_bound"
_METHODS = tuple(f"{bound}_{end}" for bound in (_LONG, _SHORT) for end in ("resize", "crop"))


@dataclass(frozen=True)
class PreparedViews:
    """Views as the network takes them.

    images: (S, 3, H, W) float32, normalised; sides are multiples of 14. to_input: (S, 3, 3) float64, from pixels of the
    original to those of the input, so that intrinsics of the input are ``to_input @ intrinsics``. sizes: of the
    originals, (height, width).
    """

    images: Tensor
    to_input: NDArray[np.float64]
    sizes: tuple[tuple[int, int], ...]

    def input_intrinsics(self, intrinsics: NDArray[np.floating]) -> NDArray[np.float64]:
        """Carry intrinsics (S, 3, 3) of the originals over to the input, pixel centres at + 0.5."""
        carried: NDArray[np.float64] = self.to_input @ intrinsics
        return carried

    def original_intrinsics(self, intrinsics: NDArray[np.floating]) -> NDArray[np.float64]:
        """Carry intrinsics (S, 3, 3) of the input over to the originals."""
        carried: NDArray[np.float64] = np.linalg.inv(self.to_input) @ intrinsics
        return carried


def prepare_views(
    pictures: Sequence[NDArray[np.uint8]], side: int = SIDE, method: str = "upper_bound_resize"
) -> PreparedViews:
    """Resize pictures (H, W, 3) uint8 RGB, of one size or of several; the latter are cut to the least height and width.

    method: ``upper_bound`` makes the long side ``side``, ``lower_bound`` the short one; then ``_resize`` goes to the
    nearest multiple of 14 by another resize, ``_crop`` to the next lower one by cutting.

    Raises:
        UnusableInput: no pictures, another kind of array, too flat to leave a patch, or no such method.
    """
    if method not in _METHODS:
        raise UnusableInput(f"there is no method {method!r}; choose one of {', '.join(_METHODS)}")
    if not len(pictures):
        raise UnusableInput("there are no pictures")
    resized, carried = zip(*(_resized(picture, side, method) for picture in pictures), strict=True)
    height, width = min(len(picture) for picture in resized), min(picture.shape[1] for picture in resized)
    cut = [_cut(picture, height, width) for picture in resized]
    to_input = np.stack([_shift(corner) @ matrix for (_, corner), matrix in zip(cut, carried, strict=True)])
    pixels = torch.from_numpy(np.stack([picture for picture, _ in cut])).permute(0, 3, 1, 2).float() / 255
    mean, spread = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    sizes = tuple((len(picture), picture.shape[1]) for picture in pictures)
    return PreparedViews((pixels - mean) / spread, to_input, sizes)


def _resized(picture: NDArray[np.uint8], side: int, method: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    if picture.ndim != 3 or picture.shape[-1] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
        raise UnusableInput(f"pictures must be (H, W, 3) uint8 RGB, not {picture.shape} {picture.dtype}")
    height, width = picture.shape[:2]
    counted = max(height, width) if method.startswith(_LONG) else min(height, width)
    first = (round(height * side / counted), round(width * side / counted))
    found = _to_size(picture, first, grows=side > counted)
    if method.endswith("_crop"):
        second = (first[0] // PATCH * PATCH, first[1] // PATCH * PATCH)
    else:
        second = (_nearest(first[0]), _nearest(first[1]))
    if min(second) < PATCH:
        raise UnusableInput(f"a picture of {width}x{height} is too flat for the network")
    if method.endswith("_crop"):
        found, corner = _cut(found, *second)
        return found, _shift(corner) @ np.diag([first[1] / width, first[0] / height, 1.0])
    found = _to_size(found, second, grows=second[0] > first[0] or second[1] > first[1])
    return found, np.diag([second[1] / width, second[0] / height, 1.0])


def _to_size(picture: NDArray[np.uint8], size: tuple[int, int], *, grows: bool) -> NDArray[np.uint8]:
    if picture.shape[:2] == size:
        return picture
    kind = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
    return cv2.resize(picture, (size[1], size[0]), interpolation=kind).astype(np.uint8, copy=False)


def _nearest(side: int) -> int:
    """Nearest multiple of a patch, the upper one of two."""
    return (side + PATCH // 2) // PATCH * PATCH


def _cut(picture: NDArray[np.uint8], height: int, width: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    top, left = (len(picture) - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width], (top, left)


def _shift(corner: tuple[int, int]) -> NDArray[np.float64]:
    return np.array([[1.0, 0, -corner[1]], [0, 1, -corner[0]], [0, 0, 1]])
