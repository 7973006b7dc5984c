"""Short films that the stage ``clips`` leaves out, one for every reason, and one that it keeps."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from pipeline.contract.arrays import Images
from tests.pipeline.videos import walk

FPS = 8
FRAMES = 24
LINES = ("THE BEST HOUSE TOUR", "OF THE WHOLE YEAR", "SUBSCRIBE AND CLICK", "THE BELL FOR MORE", "HOMES LIKE THIS")


def wanted(seed: int = 3) -> list[Images]:
    return walk(seed, FRAMES, step=4)


def _static() -> list[Images]:
    rng, still = np.random.default_rng(0), wanted(11)[0]
    return [np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8) for _ in range(FRAMES)]


def _slide_show() -> list[Images]:
    large = cv2.resize(wanted(12)[0], (480, 360))
    return [large[60:300, 6 * i : 6 * i + 320].copy() for i in range(FRAMES)]


def _split_screen() -> list[Images]:
    return [np.hstack([a[:, :160], b[:, :160]]) for a, b in zip(wanted(13), walk(4, FRAMES, step=-4), strict=True)]


def _text_overlay() -> list[Images]:
    frames = wanted(14)
    for frame in frames:
        for line, words in enumerate(LINES):
            for shade, thickness in ((0, 5), (255, 2)):
                place = (15, 45 + 40 * line)
                cv2.putText(frame, words, place, cv2.FONT_HERSHEY_DUPLEX, 0.85, (shade,) * 3, thickness)
    return frames


def _mostly_bars() -> list[Images]:
    bright = (np.clip(frame[100:140].astype(int) + 60, 0, 255).astype(np.uint8) for frame in wanted(15))
    return [np.pad(strip, ((100, 100), (0, 0), (0, 0))) for strip in bright]


def _too_short() -> list[Images]:
    return wanted(16)[:10]


def _too_few_frames() -> list[Images]:
    return wanted(17)[:6]


UNWANTED: dict[str, tuple[Callable[[], Sequence[Images]], int]] = {
    "Static": (_static, FPS),
    "SlideShow": (_slide_show, FPS),
    "SplitScreen": (_split_screen, FPS),
    "TextOverlay": (_text_overlay, FPS),
    "MostlyBars": (_mostly_bars, FPS),
    "TooShort": (_too_short, FPS),
    "TooFewFrames": (_too_few_frames, 3),
}
"""By reason: what makes the frames, (240, 320, 3) uint8 RGB, and how many of them are shown a second."""
