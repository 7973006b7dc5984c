"""A film whose transitions are known to the frame."""

from pathlib import Path

import numpy as np

from pipeline.contract.arrays import Images
from tests.pipeline.videos import blend, walk, write_video

FPS = 10


def faded(frames: list[Images], length: int, *, out: bool) -> list[Images]:
    """Fade in or out over ``length`` frames; the first (or last) of them is black."""
    ramp = np.ones(len(frames))
    ramp[:length] = np.arange(length) / length
    return [(share * frame).astype(np.uint8) for share, frame in zip(ramp[::-1] if out else ramp, frames, strict=True)]


def four_shots(path: Path) -> Path:
    """Shots of 30 frames or less: cut at 30, dissolve 52 to 60, fade through black 74 to 90, cut at 112."""
    a, b, c, d = (walk(seed, 30, step=2.0) for seed in range(1, 5))
    e = walk(5, 30, step=-3.0)
    first, _, _ = blend([*a, *b], c, 8)
    frames = [*first[:-8], *faded(first[-8:], 8, out=True), *faded(d, 8, out=False), *e]
    return write_video(path, frames, fps=FPS)
