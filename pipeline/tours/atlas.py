"""The texture atlas: every surface's albedo times its light, in halving resolutions, and looking pixels up in it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tours.albedo import strips
from pipeline.tours.mesh import ATLAS_WIDTH, BORDER, Patch

LEVELS = 5
GAMMA = 2.2
Pixels = NDArray[np.uint8]
THREADS = 2


@dataclass(frozen=True)
class Atlas:
    """levels: level k is (H / 2^k, W / 2^k, 3) uint8 RGB, gamma-encoded."""

    levels: tuple[Pixels, ...]

    def look_up(self, texels: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the colours (h, w, 3) float32 at ``texels`` (h, w, 2), blended between levels by ``level`` (h, w)."""
        wanted = np.clip(level, 0, LEVELS - 1)
        colour = np.zeros((*level.shape, 3), np.float32)
        for k, image in enumerate(self.levels):
            weight = np.maximum(1 - np.abs(wanted - k), 0)
            if not weight.any():
                continue
            at = texels / np.float32(2**k) - np.float32(0.5)
            colour += weight[..., None] * cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
        return colour


def bake(patches: tuple[Patch, ...], light: list[NDArray[np.float32]], height: int) -> Atlas:
    """Paint all patches of a mesh, lit by ``light``, into an atlas of ``height`` texels."""
    finest = np.zeros((height, ATLAS_WIDTH, 3), np.uint8)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda patch, fallen: _paint_patch(finest, patch, fallen), patches, light))
    levels = [finest]
    while len(levels) < LEVELS:
        levels.append(np.asarray(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    return Atlas(tuple(levels))


def _paint_patch(atlas: Pixels, patch: Patch, light: NDArray[np.float32]) -> None:
    top, left, height, width = patch.place
    fallen = _stretched(light, height, width)
    own = atlas[top : top + height, left : left + width]
    for rows, albedo in strips(patch.material, patch.sheet.size, patch.sheet.start, (height, width)):
        lit = albedo * fallen[rows]
        own[rows] = np.clip(lit, 0, 1) ** np.float32(1 / GAMMA) * np.float32(255) + np.float32(0.5)
    bordered = cv2.copyMakeBorder(own, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
    atlas[top - BORDER : top + height + BORDER, left - BORDER : left + width + BORDER] = bordered


def _stretched(light: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Stretch a raster whose outer samples lie on the edges of a patch over its texels."""
    down, across = (light.shape[0] - 1) / height, (light.shape[1] - 1) / width
    to_raster = np.array([[across, 0, across / 2], [0, down, down / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    stretched = cv2.warpAffine(light, to_raster, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(stretched, np.float32)
