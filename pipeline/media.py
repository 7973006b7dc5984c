"""Reading video files: what a file holds, and its frames by number.

Frames are numbered from 0 in the order in which they are shown. They are found by decoding from the start,
never by seeking, so that frame ``i`` is the same picture for every reader. Pictures come upright (rotation
metadata applied) and with square pixels (pixel aspect applied).
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

# A file may claim to be a playlist and name other files or hosts: only true containers, only this one file.
CONTAINERS = "mov,mp4,3gp,matroska,webm,avi,flv,mpegts,mpeg,asf,ogg"
OPEN_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
# A file cut off in transfer lacks its end; edit lists and rounding of time stamps account for a frame or two.
LEAST_SHARE_PRESENT = 0.95
DECODING_SAMPLES = 5
GROWTH = 4
"""A stream may change its size while it goes on, to this many times the pixels it was opened with."""
LEAST_PIXELS = 1920 * 1088
SEEN_HEIGHT = 180


@dataclass(frozen=True)
class Probe:
    """What a video file holds.

    width, height: pixels of the upright picture. fps: mean frame rate, frames a second.
    frame_count: frames in the file, counted. duration_s: from the first frame shown to the end of the last.
    """

    width: int
    height: int
    fps: float
    frame_count: int
    duration_s: float


@dataclass(frozen=True)
class _PacketSpan:
    """When the first frame starts and the last one ends, seconds; frames shown, and hidden by an edit list."""

    start_s: float
    end_s: float
    shown: int
    hidden: int


@dataclass(frozen=True)
class DecodedFrame:
    """One decoded frame: its number, its presentation time in seconds, its picture (h, w, 3) uint8 RGB."""

    index: int
    time_s: float
    rgb: Images


def probe(path: Path) -> Probe:
    """Return what a video file holds; reads every packet and decodes the first frame.

    Raises:
        BrokenVideo: no video can be decoded (empty, text, audio only, index missing), or the file holds less
            than 95 % of the frames or of the time that its header announces.
    """
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise BrokenVideo(f"{path.name} holds no frame")
        width, height = _upright_size(first, stream)
        container.seek(0)
        span = _packet_span(container, stream)
        _refuse_cut_off(path, stream, span)
    duration = span.end_s - span.start_s
    return Probe(width, height, round(span.shown / duration, 6), span.shown, round(duration, 6))


def check_decodes(path: Path) -> None:
    """Decode a few stretches spread over the file, the end among them.

    Raises:
        BrokenVideo: a stretch does not decode.
    """
    with _opened(path) as (container, stream):
        duration = container.duration or 0
        begin = container.start_time or 0
        for sample in range(DECODING_SAMPLES):
            container.seek(begin + duration * sample // DECODING_SAMPLES)
            if next(container.decode(stream), None) is None:
                raise BrokenVideo(f"{path.name} does not decode at {sample / DECODING_SAMPLES:.0%} of its length")
        container.seek(begin + duration)
        for _ in container.decode(stream):
            pass


def iterate(path: Path, height: int) -> Iterator[DecodedFrame]:
    """Decode a whole video into small pictures of the given height, in one pass, a frame at a time.

    Raises:
        BrokenVideo: a frame does not decode.
    """
    with _opened(path) as (container, stream):
        for index, frame in enumerate(container.decode(stream)):
            upright_width, upright_height = _upright_size(frame, stream)
            size = (max(1, round(upright_width * height / upright_height)), height)
            yield DecodedFrame(index, _time(frame, index, stream), _resize(_upright(frame), size))


def frames_at(path: Path, indices: NDArray[np.int64]) -> Iterator[DecodedFrame]:
    """Decode chosen frames in one pass, in the order of the video, as 640x480 RGB pictures.

    Args:
        path: the video.
        indices: (n,) frame numbers, in any order; repeated ones come once.

    Raises:
        BrokenVideo: a frame does not decode, or the video ends before the last one.
    """
    wanted = set(indices.tolist())
    with _opened(path) as (container, stream):
        for index, frame in enumerate(container.decode(stream)):
            if not wanted:
                return
            if index in wanted:
                wanted.remove(index)
                aspect = _pixel_aspect(frame, stream)
                yield DecodedFrame(index, _time(frame, index, stream), to_frame_size(_upright(frame), aspect))
    if wanted:
        raise BrokenVideo(f"{path.name} ends before frame {max(wanted)}")


def frames_near(path: Path, shares: NDArray[np.float64]) -> Iterator[Images]:
    """Yield a small picture, 180 rows, near each share of a video's length; found by seeking, so not to the frame.

    Args:
        path: the video.
        shares: (n,) of its length, 0 to 1, rising.

    Raises:
        BrokenVideo: nothing decodes there.
    """
    with _opened(path) as (container, stream):
        begin, duration = container.start_time or 0, container.duration or 0
        for share in shares.tolist():
            wanted = begin + share * duration
            container.seek(int(wanted))
            for frame in container.decode(stream):
                if frame.time is None or frame.time * av.time_base >= wanted:
                    width, height = _upright_size(frame, stream)
                    yield _resize(_upright(frame), (max(1, round(width * SEEN_HEIGHT / height)), SEEN_HEIGHT))
                    break


def read_each(path: Path, clips: Sequence[NDArray[np.int64]]) -> Iterator[Images]:
    """Yield the frames of every clip, (n, 480, 640, 3) uint8 RGB, in one pass over the video.

    Args:
        path: the video.
        clips: frame numbers of each clip, rising; no clip begins before the one ahead of it ends.

    Raises:
        BrokenVideo: as ``frames_at``.
    """
    everything = np.concatenate(clips) if clips else np.empty(0, np.int64)
    if np.any(np.diff(everything) <= 0):
        raise ValueError("clips must follow one another, their frames rising")
    frames = frames_at(path, everything)
    for clip in clips:
        yield np.stack([frame.rgb for frame in islice(frames, len(clip))])


def read_frames(path: Path, indices: NDArray[np.int64]) -> Images:
    """Return chosen frames, (n, 480, 640, 3) uint8 RGB, in the order of ``indices``; as ``frames_at``."""
    pictures = {frame.index: frame.rgb for frame in frames_at(path, indices)}
    if not pictures:
        return np.empty((0, FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
    return np.stack([pictures[index] for index in indices.tolist()])


def to_frame_size(rgb: Images, pixel_aspect: float = 1.0) -> Images:
    """Crop a picture to 4:3 about its centre and resize it to 640x480.

    Args:
        rgb: (h, w, 3) uint8.
        pixel_aspect: width of a pixel over its height.
    """
    left, top, width, height = crop_box(rgb.shape[1], rgb.shape[0], pixel_aspect)
    return _resize(rgb[top : top + height, left : left + width], (FRAME_WIDTH, FRAME_HEIGHT))


def crop_box(width: int, height: int, pixel_aspect: float = 1.0) -> tuple[int, int, int, int]:
    """Return left, top, width and height, in pixels, of the largest centred 4:3 part of a picture."""
    wide = FRAME_WIDTH / FRAME_HEIGHT / pixel_aspect
    kept_width = max(1, min(width, round(height * wide)))
    kept_height = max(1, min(height, round(width / wide)))
    return (width - kept_width) // 2, (height - kept_height) // 2, kept_width, kept_height


def open_container(path: Path, options: dict[str, str] | None = None) -> InputContainer:
    """Open a file as one of ``CONTAINERS`` and as nothing else; words in it that are no UTF-8 stand in no one's way.

    options: of the streams. Raises ``av.FFmpegError``.
    """
    return av.open(
        str(path.resolve()), options=options or {}, container_options=OPEN_OPTIONS, metadata_errors="replace"
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        with open_container(path) as container:
            stream = _moving_pictures(container, path)
            opened = stream.codec_context.width * stream.codec_context.height
            stream.codec_context.options = {"max_pixels": str(max(GROWTH * opened, LEAST_PIXELS))}
            yield container, stream
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise BrokenVideo(f"{path.name} cannot be decoded: {error.strerror}") from error


def _moving_pictures(container: InputContainer, path: Path) -> VideoStream:
    covers = av.stream.Disposition.attached_pic
    for stream in container.streams.video:
        if not stream.disposition & covers and stream.codec_context is not None:  # None: a codec that nobody knows
            return stream
    raise BrokenVideo(f"{path.name} holds no video stream that can be decoded")


def _packet_span(container: InputContainer, stream: VideoStream) -> _PacketSpan:
    frame_s = 1 / _nominal_rate(stream)
    start, end, shown, hidden = np.inf, -np.inf, 0, 0
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        if packet.is_discard:
            hidden += 1
            continue
        base = float(packet.time_base)
        begin = shown * frame_s if packet.pts is None else packet.pts * base
        start, end = min(start, begin), max(end, begin + (packet.duration * base if packet.duration else frame_s))
        shown += 1
    return _PacketSpan(float(start), float(end), shown, hidden)


def _refuse_cut_off(path: Path, stream: VideoStream, span: _PacketSpan) -> None:
    announced_s = float((stream.duration or 0) * (stream.time_base or 0))
    count, duration_s = span.shown + span.hidden, span.end_s - span.start_s
    if span.shown == 0 or min(count / max(stream.frames, 1), duration_s / max(announced_s, 1e-9)) < LEAST_SHARE_PRESENT:
        raise BrokenVideo(
            f"{path.name} is cut off: {count} of {stream.frames} frames, {duration_s:.1f} of {announced_s:.1f} s"
        )


def _upright(frame: VideoFrame) -> Images:
    turned = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
    return np.ascontiguousarray(turned)


def _upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    width, height = (frame.height, frame.width) if _lies_on_its_side(frame) else (frame.width, frame.height)
    return round(width * _pixel_aspect(frame, stream)), height


def _pixel_aspect(frame: VideoFrame, stream: VideoStream) -> float:
    aspect = float(stream.sample_aspect_ratio or 1)
    return 1 / aspect if _lies_on_its_side(frame) else aspect


def _lies_on_its_side(frame: VideoFrame) -> bool:
    return round(frame.rotation / 90) % 2 == 1


def _time(frame: VideoFrame, index: int, stream: VideoStream) -> float:
    return index / _nominal_rate(stream) if frame.pts is None else float(frame.time)


def _nominal_rate(stream: VideoStream) -> float:
    return float(stream.average_rate or stream.guessed_rate or 25)


def _resize(rgb: Images, size: tuple[int, int]) -> Images:
    shrinks = size[0] * size[1] < rgb.shape[0] * rgb.shape[1]
    resized = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)
    return np.asarray(resized, dtype=np.uint8)
