"""Heat over a picture and over its grid from above: how much of a query every place says."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from pipeline.contract.arrays import Floats, Images

HEIGHT = 180
OPACITY = 0.6
NOTHING = (235, 235, 235)


@dataclass(frozen=True)
class Heat:
    """How much a frame says of a query.

    pixels: (h, w) float32, cosine of each pixel's region, nan = in no region.
    voxels: (60, 60, 36) float32, mean cosine of each voxel's points, nan where no region falls.
    """

    pixels: Floats
    voxels: Floats


def heat_bounds(heats: Sequence[Heat]) -> tuple[float, float]:
    """Return the lowest and the highest score of any pixel, one scale for all pictures."""
    scores = [heat.pixels[np.isfinite(heat.pixels)] for heat in heats]
    given = np.concatenate([np.zeros(0, np.float32), *scores])
    return (float(given.min()), float(given.max())) if given.size else (0.0, 1.0)


def heat_colours(scores: Floats, bounds: tuple[float, float]) -> Images:
    """Return the colours (..., 3) uint8 RGB of scores (...), from blue to red; light grey where there is none."""
    low, high = bounds
    share = np.clip((np.nan_to_num(scores, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    ramp = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    colours = ramp[np.rint(share * 255).astype(np.uint8)]
    return np.where(np.isfinite(scores)[..., None], colours, NOTHING).astype(np.uint8)


def picture_heat(rgb: Images, heat: Heat, bounds: tuple[float, float]) -> Image.Image:
    """Return the picture (480, 640, 3) with the heat of its regions over it."""
    size = (round(HEIGHT * rgb.shape[1] / rgb.shape[0]), HEIGHT)
    picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    scores: Floats = np.asarray(cv2.resize(heat.pixels, size, interpolation=cv2.INTER_NEAREST), np.float32)
    opacity = np.where(np.isfinite(scores), OPACITY, 0.0)[..., None]
    return Image.fromarray((picture * (1 - opacity) + heat_colours(scores, bounds) * opacity).astype(np.uint8))


def grid_heat(heat: Heat, bounds: tuple[float, float]) -> Image.Image:
    """Return the grid from above, every column in the colour of its hottest voxel; the camera looks up."""
    hottest = np.fmax.reduce(heat.voxels, axis=2)[:, ::-1].T
    return Image.fromarray(heat_colours(hottest, bounds)).resize((HEIGHT, HEIGHT), Image.Resampling.NEAREST)
