"""Small real videos that tests of the first stages are run on."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from pipeline.contract.arrays import Images


def write_video(
    path: Path,
    frames: Sequence[Images],
    fps: int = 10,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    ticks: Sequence[int] | None = None,
    pixel_aspect: Fraction = Fraction(1),
    options: dict[str, str] | None = None,
) -> Path:
    """Encode (h, w, 3) uint8 RGB frames; ``ticks`` are their times in units of 1 / fps."""
    with av.open(str(path), "w", container_options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pixel_format
        stream.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = (ticks or range(len(frames)))[index], Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbered(count: int, width: int = 160, height: int = 120) -> list[Images]:
    """Frames whose number can be read off: its bits are eight upright bars, black or white."""
    bars = [np.repeat(np.array([255 * (i >> bit & 1) for bit in range(8)], np.uint8), width // 8) for i in range(count)]
    return [np.broadcast_to(bar[None, :, None], (height, len(bar), 3)).copy() for bar in bars]


def number_of(rgb: Images) -> int:
    """Read the number of a frame made by ``numbered`` and squeezed or stretched to any size."""
    width = rgb.shape[1] / 8
    middle = rgb[rgb.shape[0] // 2, :, 1]
    return sum(int(middle[int((bit + 0.5) * width)] > 127) << bit for bit in range(8))


def walk(seed: int, count: int, step: float = 1.0, size: tuple[int, int] = (320, 240)) -> list[Images]:
    """A camera that walks along a textured wall, different for every seed: a picture moved by ``step`` pixels a frame.

    The lowest sixth is nearer and moves half as fast again, as in no still picture that is panned over.
    """
    rng = np.random.default_rng(seed)
    width, height = size[0] + int(1.5 * abs(step) * count) + 2, size[1]
    wall = sum(_octave(rng, width, height, cell) for cell in (3, 9, 27, 81))
    wall = 20 + 200 * (wall - wall.min()) / np.ptp(wall)
    shifts = [abs(step) * i if step > 0 else abs(step) * (count - i) for i in range(count)]
    near = 5 * height // 6
    return [np.vstack([_moved(wall[:near], shift, size), _moved(wall[near:], 1.5 * shift, size)]) for shift in shifts]


def _moved(wall: np.ndarray, shift: float, size: tuple[int, int]) -> Images:
    move = np.array([[1, 0, -shift], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(wall, move, (size[0], len(wall)), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved.round(), np.uint8)


def blend(before: Sequence[Images], after: Sequence[Images], length: int) -> tuple[list[Images], int, int]:
    """Join two shots by a dissolve of ``length`` frames; return all frames and the first and end of the dissolve."""
    start = len(before) - length
    mixed = []
    for i in range(length):
        share = (i + 1) / (length + 1)
        mixed.append(((1 - share) * before[start + i] + share * after[i]).round().astype(np.uint8))
    return [*before[:start], *mixed, *after[length:]], start, start + length


def _octave(rng: np.random.Generator, width: int, height: int, cell: int) -> np.ndarray:
    coarse = rng.random((height // cell + 2, width // cell + 2, 3), dtype=np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * cell**0.25
