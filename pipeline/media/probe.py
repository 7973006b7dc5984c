"""What a video file holds, told from its packets, and whether it is whole and decodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.contract.errors import BrokenVideo
from pipeline.media.clock import LONGEST_STEP_S, duration
from pipeline.media.colour import transfer_of
from pipeline.media.container import nominal_rate, opened, wraps_after
from pipeline.media.decoding import first_frame, shown_frames
from pipeline.media.pictures import upright_size

# A file cut off in transfer lacks its end; rounding of time stamps accounts for a frame or two.
LEAST_SHARE_PRESENT = 0.95
DECODING_SAMPLES = 5
STATES_LENGTH = ("mov", "matroska", "avi", "flv", "asf", "ogg")
"""Containers whose headers say how long they are; of others FFmpeg guesses by the first and last time stamps."""

FURTHER_BACK_S = (0.0, 10.0, 60.0)
"""How far before a place to begin where nothing decodes from there on: key frames may be sparse."""


@dataclass(frozen=True)
class Probe:
    """What a video file holds.

    width, height: pixels of the upright picture. fps: mean frame rate, frames a second.
    frame_count: frames that are shown, counted. duration_s: from the first frame shown to the end of the last, on a
    clock that rises. notes: how pictures or times are changed in reading, one sentence each.
    """

    width: int
    height: int
    fps: float
    frame_count: int
    duration_s: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Packets:
    """When frames are shown and decoded, seconds; how many more an edit list hides; how long the last one is shown."""

    stamps: list[tuple[float | None, float | None]]
    hidden: int
    last_s: float

    @property
    def span_s(self) -> float:
        """Seconds between the earliest and the latest time stamp, with the last frame's length."""
        known = (decoded if shown is None else shown for shown, decoded in self.stamps)
        times = [stamp for stamp in known if stamp is not None]
        return max(times) - min(times) + self.last_s if times else 0.0


def probe(path: Path) -> Probe:
    """Return what a video file holds; reads every packet and decodes the first frame.

    Raises:
        BrokenVideo: no video can be decoded (empty, text, audio only, index missing), or the file holds less
            than 95 % of the time, or else of the frames, that its header announces.
    """
    with opened(path) as (container, stream):
        first = first_frame(container, stream)
        if first is None:
            raise BrokenVideo(f"{path.name} holds no frame")
        width, height = upright_size(first, stream)
    with opened(path) as (container, stream):
        held = _packets(container, stream)
        _refuse_cut_off(path, container, stream, held)
        length = duration(held.stamps, 1 / nominal_rate(stream), held.last_s, wraps_after(container))
        notes = tuple(_notes(first, len(container.streams.video), held.span_s, length))
    return Probe(width, height, round(len(held.stamps) / length, 6), len(held.stamps), round(length, 6), notes)


def check_decodes(path: Path) -> None:
    """Decode a few stretches spread over the file, the end among them.

    Raises:
        BrokenVideo: a stretch does not decode.
    """
    with opened(path) as (container, stream):
        length_s, begin_s = _stated_length(container, stream), (container.start_time or 0) / av.time_base
        for sample in range(DECODING_SAMPLES):
            at_s = length_s * sample / DECODING_SAMPLES
            if not _decodes_from(container, stream, begin_s, at_s) and not _decodes(path):
                raise BrokenVideo(f"{path.name} does not decode at {sample / DECODING_SAMPLES:.0%} of its length")
        container.seek(round((begin_s + length_s) * av.time_base))
        for _ in shown_frames(container, stream):
            pass


def is_continuous(path: Path) -> bool:
    """Tell whether time stamps lead once from the beginning to the end; those of joined streams do not."""
    with opened(path) as (container, stream):
        if container.format.name.startswith(STATES_LENGTH):
            return True
        held, nominal_s = _packets(container, stream), 1 / nominal_rate(stream)
        length = duration(held.stamps, nominal_s, held.last_s, wraps_after(container))
        return abs(held.span_s - length) < 2 * nominal_s


def length_of(path: Path) -> float:
    """Return for how long a video is shown, seconds: as its container says, or on the clock that rises."""
    with opened(path) as (container, stream):
        if container.duration and container.format.name.startswith(STATES_LENGTH):
            return _stated_length(container, stream)
        held = _packets(container, stream)
        return duration(held.stamps, 1 / nominal_rate(stream), held.last_s, wraps_after(container))


def _stated_length(container: InputContainer, stream: VideoStream) -> float:
    """Return how long a container says it is, or what its time stamps span, seconds; leaves it at its start."""
    if container.duration:
        # Matroska's length is counted from 0, wherever the time stamps begin.
        before = (container.start_time or 0) if container.format.name.startswith("matroska") else 0
        return max(container.duration - before, 0) / av.time_base
    length = _packets(container, stream).span_s
    container.seek(container.start_time or 0)
    return length


def _decodes_from(container: InputContainer, stream: VideoStream, begin_s: float, at_s: float) -> bool:
    for back_s in FURTHER_BACK_S:
        container.seek(round((begin_s + max(0.0, at_s - back_s)) * av.time_base))
        if first_frame(container, stream) is not None:
            return True
    return False


def _decodes(path: Path) -> bool:
    with opened(path) as (container, stream):
        return first_frame(container, stream) is not None


def _packets(container: InputContainer, stream: VideoStream) -> _Packets:
    nominal_s = 1 / nominal_rate(stream)
    stamps, hidden, last_s = [], 0, nominal_s
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        if packet.is_discard:
            hidden += 1
            continue
        base = float(packet.time_base)
        shown, decoded = (None if stamp is None else stamp * base for stamp in (packet.pts, packet.dts))
        stamps.append((shown, decoded))
        last_s = packet.duration * base if packet.duration else nominal_s
    return _Packets(stamps, hidden, last_s if last_s < 2 * nominal_s else nominal_s)


def _refuse_cut_off(path: Path, container: InputContainer, stream: VideoStream, held: _Packets) -> None:
    announced_s = float((stream.duration or 0) * (stream.time_base or 0))
    if not container.format.name.startswith(STATES_LENGTH):
        announced_s = 0.0
    count, share = len(held.stamps) + held.hidden, 1.0
    if announced_s:  # an edit list shows less than all frames for less than all the time
        share = held.span_s / announced_s
    elif stream.frames:
        share = count / stream.frames
    if not held.stamps or share < LEAST_SHARE_PRESENT:
        lengths = f"{count} of {stream.frames} frames, {held.span_s:.1f} of {announced_s:.1f} s"
        raise BrokenVideo(f"{path.name} is cut off: {lengths}")


def _notes(first: VideoFrame, tracks: int, span_s: float, length_s: float) -> Iterator[str]:
    transfer = transfer_of(first)
    if transfer:
        yield f"its high dynamic range ({transfer}) is mapped to BT.709"
    if first.interlaced_frame:
        yield "its pictures are interlaced: each is made of two fields"
    if tracks > 1:
        yield f"one of its {tracks} video tracks is read, the default or else the largest"
    if abs(span_s - length_s) > LONGEST_STEP_S:
        yield f"its time stamps run back or jump: they span {span_s:.2f} s, its frames are shown for {length_s:.2f} s"
