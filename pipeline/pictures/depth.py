"""Depth beside the picture it belongs to."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.contract.arrays import Floats, Images
from pipeline.pictures.layout import INK, PAPER, below, beside, caption, font, patch, px

NO_VALUE = (235, 235, 235)


def depth_beside_picture(rgb: Images, depth: Floats, unit: str = "m", height: int = 240) -> Image.Image:
    """Return picture, depth and its scale in a row.

    Args:
        rgb: (480, 640, 3) uint8.
        depth: (h, w) z-depth, 0 = no value, drawn light grey; near is warm, far is cold.
        unit: of depth, for the scale; "x" for multiples of the clip's median.
        height: of the row, pixels.
    """
    height = px(height)
    size = (round(height * rgb.shape[1] / rgb.shape[0]), height)
    nearest, farthest = _range(depth)
    picture = Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS)
    drawn = Image.fromarray(_coloured(depth, nearest, farthest)).resize(size, Image.Resampling.NEAREST)
    share = float((depth > 0).mean())
    row = beside(picture, drawn, _scale(nearest, farthest, unit, height))
    words = caption(f"depth on {share:.0%} of the pixels", 12)
    return below(row, words if share == 1 else beside(words, patch(NO_VALUE, "no depth", 12)))


def _range(depth: Floats) -> tuple[float, float]:
    given = depth[depth > 0]
    if given.size == 0:
        return 1.0, 2.0
    nearest, farthest = np.percentile(given, [1, 99]).tolist()
    return nearest, max(farthest, nearest * 1.01)


def _coloured(depth: Floats, nearest: float, farthest: float) -> Images:
    inverse = (1 / np.maximum(depth, 1e-6) - 1 / farthest) / (1 / nearest - 1 / farthest)
    colours = _turbo(inverse)
    colours[depth <= 0] = NO_VALUE
    return colours


def _turbo(values: NDArray[np.floating]) -> Images:
    grey = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    bgr = cv2.applyColorMap(grey, cv2.COLORMAP_TURBO).reshape(*grey.shape, 3)
    return np.asarray(bgr[..., ::-1], np.uint8)


def _scale(nearest: float, farthest: float, unit: str, height: int) -> Image.Image:
    ramp = np.repeat(np.linspace(1, 0, height, dtype=np.float32)[:, None], px(12), axis=1)
    bar = Image.new("RGB", (px(70), height), PAPER)
    bar.paste(Image.fromarray(_turbo(ramp)), (0, 0))
    draw = ImageDraw.Draw(bar)
    for share in (0.0, 0.5, 1.0):
        value = 1 / (1 / nearest + share * (1 / farthest - 1 / nearest))
        draw.text((px(16), share * (height - px(14))), f"{value:.2g} {unit}", INK, font(px(10)))
    return bar
