"""Pictures that say who they are: video, edition and frame number, in eight patches that survive a video codec."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

FPS = 5
FRAMES = 16
DIGITS = 8
LEVELS = np.array([32, 96, 160, 224])
PATCH, TOP = 40, 40
"""Width and height of a patch in a picture of 640x480; they stand side by side at its upper edge."""


class Identity(NamedTuple):
    """Of a frame of a film."""

    video: int
    edition: int
    frame: int

    @property
    def code(self) -> int:
        """Return it as one number below 4**8."""
        return (self.video * 16 + self.edition) * 256 + self.frame

    @classmethod
    def of(cls, code: int) -> "Identity":
        """Return what a number stands for."""
        return cls(code // 4096, code // 256 % 16, code % 256)


def picture(identity: Identity, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """Return a frame (height, width, 3): texture that moves by a few pixels a frame, and its patches."""
    texture = np.random.default_rng(identity.video * 16 + identity.edition).integers(
        20, 236, (height // 40, width // 20)
    )
    moved = np.roll(texture.repeat(40, axis=0).repeat(40, axis=1), -3 * identity.frame, axis=1)[:, :width]
    grey = moved.astype(np.uint8)
    lower = 2 * height // 3  # nearer things move faster, as in no still picture that is panned over
    grey[lower:] = np.roll(moved, -2 * identity.frame, axis=1)[lower:]
    w, h = PATCH * width // 640, TOP * height // 480
    for place in range(DIGITS):
        grey[:h, place * w : (place + 1) * w] = LEVELS[identity.code // 4 ** (DIGITS - 1 - place) % 4]
    return np.repeat(grey[..., None], 3, axis=2)


def identify(rgb: NDArray[np.uint8]) -> Identity:
    """Return who a stored picture (480, 640, 3) is, by the middle of its patches."""
    middles = [rgb[12 : TOP - 12, place * PATCH + 12 : (place + 1) * PATCH - 12].mean() for place in range(DIGITS)]
    digits = np.abs(np.array(middles)[:, None] - LEVELS).argmin(axis=1)
    return Identity.of(int(sum(digit * 4 ** (DIGITS - 1 - place) for place, digit in enumerate(digits))))


def write_film(path: Path, video: int, edition: int) -> None:
    """Write a film whose frames say who they are; the same file for the same numbers."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "16", "preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 320, 240, "yuv420p", Fraction(1, FPS)
        for frame in range(FRAMES):
            shown = picture(Identity(video, edition, frame))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode(None))
