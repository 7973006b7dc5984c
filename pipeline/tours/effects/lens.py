"""The lens: focal length, principal point, and one coefficient of radial distortion.

COLMAP's model SIMPLE_RADIAL in normalised coordinates: what a pinhole shows at x, at the distance r from its axis, the
lens shows at ``x * (1 + k1 * r**2)``. Barrels have k1 < 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats

STEPS = 8
"""Steps of Newton's method; six leave less than a float32 tells apart for all lenses that ``bends_at_most`` allows."""
MARGIN = 1.1
"""How much farther out than its corner a lens must still show one thing at one place."""


@dataclass(frozen=True)
class Lens:
    """intrinsics: (3, 3) float32, pixels of the picture. k1: radial distortion, 0 for a pinhole."""

    intrinsics: NDArray[np.float32]
    k1: float = 0.0

    def directions(self, pixels: Floats) -> Floats:
        """Return where ``pixels`` (n, 2) look, (n, 3) float32 in the camera's axes, one long along z."""
        focal, centre = self.intrinsics[[0, 1], [0, 1]], self.intrinsics[:2, 2]
        seen = (pixels - centre) / focal
        if self.k1:
            seen = seen * self._straightened(np.sqrt((seen * seen).sum(axis=1)))[:, None]
        return np.concatenate([seen, np.ones_like(seen[:, :1])], axis=1)

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the pixels (n, 2) that show ``points`` (n, 3) in the camera's axes, all before the camera."""
        flat = points[:, :2].astype(np.float64) / points[:, 2:]
        bent = flat * (1 + self.k1 * (flat * flat).sum(axis=1, keepdims=True))
        return np.asarray(bent * self.intrinsics[[0, 1], [0, 1]] + self.intrinsics[:2, 2])

    def cropped(self, corner: tuple[float, float], scale: tuple[float, float]) -> "Lens":
        """Return the lens of a part of the picture that begins at ``corner``, enlarged by ``scale`` (x, y)."""
        made = self.intrinsics.copy()
        made[:2, 2] -= corner
        made[:2] *= np.array(scale, np.float32)[:, None]
        return Lens(made, self.k1)

    def zoomed(self, factor: float) -> "Lens":
        """Return the lens with a longer focal length, about its principal point."""
        made = self.intrinsics.copy()
        made[[0, 1], [0, 1]] *= np.float32(factor)
        return Lens(made, self.k1)

    def _straightened(self, bent: Floats) -> Floats:
        """Return by what distances from the axis (n,) are multiplied to be those of a pinhole."""
        farthest = np.float32(0.999 * 2 / 3 / np.sqrt(-3 * self.k1) if self.k1 < 0 else np.inf)
        bent = np.minimum(bent, farthest)  # beyond it the lens shows nothing, and no picture reaches
        distance = bent.copy()
        for _ in range(STEPS):
            squared = self.k1 * distance * distance
            distance -= (distance * (1 + squared) - bent) / (1 + 3 * squared)
        return np.where(bent > 0, distance / np.maximum(bent, np.float32(1e-12)), np.float32(1))


def bends_at_most(size: tuple[int, int], focal: float, shift: float) -> float:
    """Return the lowest k1 with which a picture of ``size`` shows one direction at each pixel, its corners included.

    A barrel shows nothing beyond ``2 / 3 / sqrt(-3 * k1)``. shift: of the principal point, pixels.
    """
    corner = MARGIN * (np.hypot(*size) / 2 + shift * np.sqrt(2)) / focal
    return float(-4 / 27 / corner**2)
