"""Small files that claim to be large ones."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.pipeline.videos import walk, write_video


def with_samples(path: Path, count: int) -> Path:
    """An MP4 of a few kilobytes whose index (ISO/IEC 14496-12, 8.6 and 8.7) claims ``count`` samples of one byte."""
    content = bytearray(write_video(path, walk(3, 10, size=(64, 48))).read_bytes())
    tables = {b"stsz": (0, 1, count), b"stts": (0, 1, count, 1), b"stsc": (0, 1, 1, count, 1)}
    for name, values in tables.items():
        begin = content.index(name) + 4
        content[begin : begin + 4 * len(values)] = struct.pack(f">{len(values)}I", *values)
    path.write_bytes(content)
    return path


def large(path: Path, width: int, height: int, frames: int = 1, container: str | None = None) -> Path:
    """Black frames of any size."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.zeros((height * 3 // 2, width), np.uint8), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def growing(path: Path, sizes: Sequence[tuple[int, int]]) -> Path:
    """An MPEG transport stream whose pictures change their size, later than what is looked at to open it."""
    lengths = (120, *[4] * (len(sizes) - 1))
    shots = enumerate(zip(sizes, lengths, strict=True))
    parts = [large(path.with_suffix(f".{i}.ts"), *size, frames, container="mpegts") for i, (size, frames) in shots]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
