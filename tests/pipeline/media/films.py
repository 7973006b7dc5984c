"""Films with the faults of the field, made by encoders and by writing over single bytes."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.stream import Disposition

from pipeline.contract.arrays import Images
from tests.pipeline.videos import write_video

RATE = 12
ONE = 1 << 16
EIGHT = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)]
EIGHT += [(0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0)]
"""The a, b, c and d of all display matrices that turn and mirror."""


def stream_of(path: Path, frames: Sequence[Images], start_s: float = 0.0, key_every: int = 1000) -> bytes:
    """Return frames as a transport stream with one key frame (or more) whose time begins at ``start_s``."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"g": str(key_every), "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = index + round(start_s * RATE), Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def interlaced(path: Path, frames: Sequence[Images]) -> Path:
    """Encode pairs of frames as the two fields of one picture each, upper lines first."""
    woven = []
    for upper, lower in zip(frames[::2], frames[1::2], strict=True):
        picture = upper.copy()
        picture[1::2] = lower[1::2]
        woven.append(picture)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=6, options={"x264-params": "qp=5"})
        stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        for index, rgb in enumerate(woven):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 6)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_broken_packets(path: Path, numbers: Sequence[int]) -> Path:
    """Write nonsense over the first bytes of some packets of a film."""
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for number in numbers:
        content[places[number] : places[number] + 24] = b"\xff" * 24
    path.write_bytes(content)
    return path


def with_preview(path: Path, film: Sequence[Images], preview: Sequence[Images], *, flagged: bool) -> Path:
    """Write a small track of still previews before the film, as cameras do."""
    with av.open(str(path), "w", format="matroska") as container:
        first = container.add_stream("mjpeg", rate=RATE)
        first.width, first.height, first.pix_fmt = preview[0].shape[1], preview[0].shape[0], "yuvj420p"
        second = container.add_stream("libx264", rate=RATE)
        second.width, second.height, second.pix_fmt = film[0].shape[1], film[0].shape[0], "yuv420p"
        if flagged:
            first.disposition, second.disposition = Disposition(0), Disposition.default
        for stream, frames in ((first, preview), (second, film)):
            for index, rgb in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def with_edit_list(path: Path, frames: Sequence[Images], first: int, count: int) -> Path:
    """Let an MP4 film show ``count`` of its frames from ``first`` on, as a lossless trim does."""
    write_video(path, frames, fps=RATE, options={"use_editlist": "1", "movflags": "+faststart"})
    content = bytearray(path.read_bytes())
    place = content.index(b"elst") + 4 + 4 + 4
    scale = int.from_bytes(content[(clock := content.index(b"mdhd") + 4 + 4 + 8) : clock + 4], "big")
    whole = int.from_bytes(content[place : place + 4], "big")
    shift = int.from_bytes(content[place + 4 : place + 8], "big")
    shown, begin = whole * count // len(frames), shift + first * scale // RATE
    content[place : place + 8] = shown.to_bytes(4, "big") + begin.to_bytes(4, "big")
    path.write_bytes(content)
    return path


def with_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Write the matrix of the track's header (ISO/IEC 14496-12, 8.3.2), which no encoder here would write."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    content[place : place + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
