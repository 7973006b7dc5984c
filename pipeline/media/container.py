"""Opens a video file as a container of a known kind, and finds the stream of it that is the film."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from pipeline.contract.errors import BrokenVideo, NotReadableNow

# A file may claim to be a playlist and name other files or hosts: only true containers, only this one file.
CONTAINERS = "mov,mp4,3gp,matroska,webm,avi,flv,mpegts,mpeg,asf,ogg"
OPEN_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
GROWTH = 4
"""A stream may change its size while it goes on, to this many times the pixels it was opened with."""
LEAST_PIXELS = 1920 * 1088
BLOCK_BYTES = 1 << 20
SHORTAGES = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Too many threads, open files, too little memory."""
STILLS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Streams of covers and previews, which are no film."""


def open_container(path: Path, options: dict[str, str] | None = None) -> InputContainer:
    """Open a file as one of ``CONTAINERS`` and as nothing else; words in it that are no UTF-8 stand in no one's way.

    options: of the streams. Raises ``av.FFmpegError``.
    """
    return av.open(
        str(path.resolve()), options=options or {}, container_options=OPEN_OPTIONS, metadata_errors="replace"
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and yield it with the stream of its film.

    Raises:
        BrokenVideo: it is no video, or holds no stream that can be decoded; FFmpeg's errors within the block, too.
        NotReadableNow, MemoryError: this machine is short of something, or its disk does not answer.
    """
    with explained(path), open_container(path) as container:
        stream = _film(container, path)
        pixels = stream.codec_context.width * stream.codec_context.height
        stream.codec_context.options = {"max_pixels": str(max(GROWTH * pixels, LEAST_PIXELS))}
        yield container, stream


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Tell errors of FFmpeg that are the film's from those of this machine; FFmpeg gives both the same numbers.

    Raises:
        BrokenVideo: the film's. NotReadableNow, MemoryError: the machine's, which may pass.
    """
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        why = error.strerror or type(error).__name__
        if error.errno in SHORTAGES or not _reads(path):
            raise NotReadableNow(f"{path.name} cannot be decoded at the moment: {why}") from error
        raise BrokenVideo(f"{path.name} cannot be decoded: {why}") from error


def _reads(path: Path) -> bool:
    """Tell whether the bytes of a file can be read to the end, whatever they mean; none of a file that is not there."""
    try:
        with path.open("rb") as file:
            while file.read(BLOCK_BYTES):
                pass
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def nominal_rate(stream: VideoStream) -> float:
    """Return the rate that a stream states, or seems to have, in frames a second."""
    return float(stream.average_rate or stream.guessed_rate or 25)


def wraps_after(container: InputContainer) -> float | None:
    """Return after how many seconds the time stamps of a container begin anew; MPEG counts 33 bits of 90 kHz."""
    return 2**33 / 90000 if container.format.name in ("mpegts", "mpeg") else None


def _film(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream that is flagged as the default, and of several the one with the largest picture."""
    known = [stream for stream in container.streams.video if stream.codec_context is not None]
    films = [stream for stream in known if not stream.disposition & STILLS]
    if not films:
        raise BrokenVideo(f"{path.name} holds no video stream that can be decoded")

    def rank(stream: VideoStream) -> tuple[bool, int]:
        context = stream.codec_context
        return bool(stream.disposition & Disposition.default), context.width * context.height

    return max(films, key=rank)
