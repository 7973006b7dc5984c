"""Films of eight known colours whose container and pictures say different things of how these are coded."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

COLOURS = np.array(
    [[200, 60, 40], [40, 180, 60], [50, 70, 200], [16, 16, 16], [235, 235, 235], [128, 128, 128], [255] * 3, [0] * 3],
    np.float64,
)
WIDTH, HEIGHT = 320, 240
BT709, BT601 = 1, 6
LUMA = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114)}
"""Parts of red and blue in the luma, by matrix coefficients of ISO/IEC 23091-2, table 4."""


class Coding(NamedTuple):
    """How the container says that colours are coded, and what the encoder is told to say of it in the pictures."""

    codec: str
    suffix: str
    full_range: bool
    matrix: int
    options: dict[str, str]


def film_of_patches(path: Path, coding: Coding) -> Path:
    """Write four frames of eight upright stripes, coded as the container says."""
    planes = _planes(coding)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coding.codec, rate=10, options=coding.options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context, color_range = stream.codec_context, 2 if coding.full_range else 1
        context.color_range, context.colorspace = color_range, coding.matrix
        context.color_primaries = context.color_trc = BT709
        for index in range(4):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.color_range, frame.colorspace = color_range, coding.matrix
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def patches_of(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the colours (8, 3) in the middle of the stripes of a picture (h, w, 3)."""
    height, width = rgb.shape[0], rgb.shape[1] // len(COLOURS)
    middle = rgb[height // 3 : 2 * height // 3].reshape(-1, len(COLOURS), width, 3)
    return np.asarray(middle[:, :, width // 3 : 2 * width // 3].mean(axis=(0, 2)))


def _planes(coding: Coding) -> NDArray[np.uint8]:
    """Return the planes of a picture one below the other, as PyAV takes 4:2:0."""
    red, blue = LUMA[coding.matrix]
    r, g, b = COLOURS.T / 255
    y = red * r + (1 - red - blue) * g + blue * b
    chroma = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    scale, black, wide = (255, 0, 255) if coding.full_range else (219, 16, 224)
    values = (black + scale * y, *(128 + wide * part for part in chroma))
    stripes = [np.round(value).clip(0, 255).astype(np.uint8) for value in values]
    luma = np.tile(stripes[0].repeat(WIDTH // 8), (HEIGHT, 1))
    half = [np.tile(stripe.repeat(WIDTH // 16), (HEIGHT // 2, 1)) for stripe in stripes[1:]]
    return np.concatenate([plane.ravel() for plane in (luma, *half)]).reshape(HEIGHT * 3 // 2, WIDTH)
