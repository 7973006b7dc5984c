"""Pictures with a high dynamic range and a wide gamut (BT.2100) as pictures of the usual ones (BT.709).

White of 203 cd/m2 (BT.2408, table 1) becomes white; what is brighter is compressed into the last tenth; colours beyond
the gamut lose saturation until they fit. The result is for displays with a gamma of 2.2.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.contract.arrays import Images

Transfer = Literal["PQ", "HLG"]
_TRANSFERS: dict[int, Transfer] = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of ISO/IEC 23091-2, table 3."""
BT2020 = 9
"""Colour primaries of ISO/IEC 23091-2, table 2, and matrix coefficients of table 4 (not of constant luminance)."""

LIMITED = 1
"""Of FFmpeg's colour ranges."""

RGB = 0
UNSPECIFIED = 2
"""In tables 2 to 4; of the range FFmpeg says 0."""

WHITE = 203.0
PEAK_HLG = 1000.0
KNEE = 0.9
GAMMA = 2.2
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_BT709_FROM_BT2020 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""BT.2087, annex 2 inverted."""


@dataclass(frozen=True)
class Colours:
    """How a stream codes colours, in FFmpeg's numbers: those of ISO/IEC 23091-2, and 1 (limited) or 2 (full range)."""

    color_range: int
    colorspace: int
    color_primaries: int
    color_trc: int

    @classmethod
    def stated_by(cls, stream: VideoStream) -> "Colours":
        """Return what a container says, before anything of it is decoded: then decoders have written over it."""
        context = stream.codec_context
        names = ("color_range", "colorspace", "color_primaries", "color_trc")
        return cls(*(int(getattr(context, name)) for name in names))

    def put_on(self, frame: VideoFrame) -> None:
        """Let a frame say of its colours what the container says, or itself where the container says nothing.

        A high dynamic range without primaries or a matrix has those of BT.2020, as BT.2100 has it.
        """
        if self.color_range:
            frame.color_range = self.color_range
        if self.colorspace not in (RGB, UNSPECIFIED):
            frame.colorspace = self.colorspace
        if self.color_primaries != UNSPECIFIED:
            frame.color_primaries = self.color_primaries
        if self.color_trc != UNSPECIFIED:
            frame.color_trc = self.color_trc
        if transfer_of(frame):
            if int(frame.color_primaries) == UNSPECIFIED:
                frame.color_primaries = BT2020
            if int(frame.colorspace) == UNSPECIFIED:
                frame.colorspace = BT2020


UNSTATED = Colours(0, UNSPECIFIED, UNSPECIFIED, UNSPECIFIED)


def transfer_of(frame: VideoFrame) -> Transfer | None:
    """Return how a frame codes a high dynamic range, None for the usual one."""
    return _TRANSFERS.get(int(frame.color_trc))


def usual_range(rgb: NDArray[np.uint16], transfer: Transfer, *, is_wide: bool) -> Images:
    """Return pictures (..., 3) of 16 bits a colour, coded for a high dynamic range, as 8 bits for BT.709.

    is_wide: the colours are those of BT.2020.
    """
    linear = _linear(transfer)[rgb]
    if transfer == "HLG":  # BT.2100, table 5: the display's gamma of 1.2 goes by luminance, its peak is 1000 cd/m2
        luminance = linear @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        linear = np.asarray(PEAK_HLG / WHITE * linear * np.maximum(luminance, 1e-9)[..., None] ** 0.2, np.float32)
    fitting = _in_gamut(linear @ _BT709_FROM_BT2020.T) if is_wide else linear
    brightest = np.maximum(fitting.max(axis=-1, keepdims=True), 1e-9)
    shown = fitting * (_compressed(brightest) / brightest)
    return np.asarray(np.clip(shown, 0, 1) ** np.float32(1 / GAMMA) * 255 + 0.5, np.uint8)


@cache
def _linear(transfer: Transfer) -> NDArray[np.float32]:
    """Return the light that each of 65,536 codes stands for: of PQ in units of ``WHITE``, of HLG of the scene."""
    code = np.arange(65536) / 65535
    if transfer == "PQ":  # BT.2100, table 4
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = code ** (1 / m2)
        return np.asarray(10000 / WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1), np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073  # BT.2100, table 5
    return np.asarray(np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12), np.float32)


def _in_gamut(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix colours with as much grey of their luminance as makes no part of them negative."""
    luminance = np.maximum(linear @ _LUMINANCE, 0)[..., None]
    least = linear.min(axis=-1, keepdims=True)
    share = np.where(least < 0, luminance / np.maximum(luminance - least, 1e-9), 1)
    return np.asarray(luminance + share * (linear - luminance), np.float32)


def _compressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return light up to the knee as it is and above it ever slower towards 1."""
    above = np.maximum(light - KNEE, 0) / (1 - KNEE)
    return np.where(light <= KNEE, light, KNEE + (1 - KNEE) * (1 - np.exp(-above)))
