"""The texture atlas: every surface's albedo times its light, in halving resolutions, and looking pixels up in it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tours.materials import Material, paint
from pipeline.tours.mesh import ATLAS_WIDTH, BORDER, Mesh, Patch
from pipeline.tours.surfaces import Sheet

LEVELS = 5
GAMMA = 2.2
Pixels = NDArray[np.uint8]
Light = Callable[[Sheet, Material], NDArray[np.float32]]


@dataclass(frozen=True)
class Atlas:
    """levels: level k is (H / 2^k, W / 2^k, 3) uint8 RGB, gamma-encoded."""

    levels: tuple[Pixels, ...]

    def look_up(self, texels: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the colours (h, w, 3) float32 at ``texels`` (h, w, 2), between resolutions as ``level`` (h, w) says."""
        wanted = np.clip(level, 0, LEVELS - 1)
        colour = np.zeros((*level.shape, 3), np.float32)
        for k, image in enumerate(self.levels):
            weight = np.maximum(1 - np.abs(wanted - k), 0)
            if not weight.any():
                continue
            at = texels / np.float32(2**k) - np.float32(0.5)
            colour += weight[..., None] * cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
        return colour


def bake(mesh: Mesh, light: Light) -> Atlas:
    """Paint and light every patch of ``mesh``."""
    finest = np.zeros((mesh.atlas_height, ATLAS_WIDTH, 3), np.uint8)
    for patch in mesh.patches:
        _bake_patch(finest, patch, light)
    levels = [finest]
    while len(levels) < LEVELS:
        levels.append(np.asarray(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    return Atlas(tuple(levels))


def _bake_patch(atlas: Pixels, patch: Patch, light: Light) -> None:
    top, left, height, width = patch.place
    albedo = paint(patch.material, patch.sheet.size, patch.sheet.start, (height, width))
    fallen = light(patch.sheet, patch.material)
    lit = albedo * cv2.resize(fallen, (width, height), interpolation=cv2.INTER_LINEAR)
    shown = np.clip(lit, 0, 1) ** np.float32(1 / GAMMA) * np.float32(255) + np.float32(0.5)
    bordered = cv2.copyMakeBorder(shown.astype(np.uint8), BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
    atlas[top - BORDER : top + height + BORDER, left - BORDER : left + width + BORDER] = bordered
