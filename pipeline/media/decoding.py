"""Decodes a film from its start: frames in the order of showing, on one rising clock, whole pictures instead of fields.

What a damaged packet held is missing; the frames after it are numbered on, for every reader alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.media.clock import RisingClock
from pipeline.media.colour import UNSTATED, Colours
from pipeline.media.container import nominal_rate, wraps_after

WITHOUT_TIMES = ("avi",)
"""Containers that hold a rate and no times; what FFmpeg makes up for pictures that are shown later is wrong."""

WITH_COLOURS = ("mov", "matroska")
"""Containers that say how colours are coded."""

BROKEN_MAX = 0.01
"""Share of packets that may be damaged; one always may."""


@dataclass(frozen=True)
class ShownFrame:
    """A frame of a film.

    index: its number, from 0. time_s: seconds from the first frame shown. follows: whether it goes on from the frame
    before: time does not jump and the picture has the same size. lost: damaged packets that were skipped before it.
    """

    index: int
    time_s: float
    follows: bool
    lost: int
    frame: VideoFrame


def shown_frames(
    container: InputContainer, stream: VideoStream, colours: Colours | None = None
) -> Iterator[ShownFrame]:
    """Decode a film from where its container stands; its frames say of their colours what the container says.

    Args:
        container: of the film.
        stream: of the film.
        colours: what the container said before anything was decoded; None where nothing was.

    Raises:
        av.FFmpegError: more than ``BROKEN_MAX`` of it does not decode.
    """
    stated = colours or stated_colours(container, stream)
    clock, lost = RisingClock(1 / nominal_rate(stream), wraps_after(container)), _Count()
    has_times = container.format.name not in WITHOUT_TIMES
    before: tuple[int, int] | None = None
    for index, frame in enumerate(_whole_pictures(_decoded(container, stream, lost))):
        stated.put_on(frame)
        size = (frame.width, frame.height)
        rises = clock.tick(float(frame.time) if has_times and frame.pts is not None else None)
        yield ShownFrame(index, clock.time_s, rises and before in (None, size), lost.count, frame)
        before = size


def first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """Return the first frame that decodes, as it is stored, or None; nothing was decoded before where colours count."""
    stated, frame = stated_colours(container, stream), next(_decoded(container, stream, _Count()), None)
    if frame is not None:
        stated.put_on(frame)
    return frame


def stated_colours(container: InputContainer, stream: VideoStream) -> Colours:
    """Return what a container says of colours, nothing where it has no place for that; nothing was decoded before.

    What FFmpeg tells of such a stream it saw in the pictures, perhaps in those of a recording that comes later.
    """
    return Colours.stated_by(stream) if container.format.name.startswith(WITH_COLOURS) else UNSTATED


@dataclass
class _Count:
    count: int = 0


def _decoded(container: InputContainer, stream: VideoStream, lost: _Count) -> Iterator[VideoFrame]:
    """Yield what decodes; until the first frame does, as in a recording that was joined late, nothing is lost."""
    has_begun = False
    for read, packet in enumerate(container.demux(stream), start=1):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            lost.count += has_begun
            if lost.count > max(1, BROKEN_MAX * read):
                raise
            continue
        has_begun = has_begun or bool(frames)
        yield from frames


def _whole_pictures(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Turn frames of two fields, which were filmed one after the other, into one picture each; leave others alone."""
    weaver: _Deinterlacer | None = None
    for frame in frames:
        if weaver is None and not frame.interlaced_frame:
            yield frame
            continue
        if weaver is None or not weaver.takes(frame):
            yield from weaver.rest() if weaver else ()
            weaver = _Deinterlacer(frame)
        yield from weaver.put(frame)
    yield from weaver.rest() if weaver else ()


class _Deinterlacer:
    """FFmpeg's ``bwdif``: a frame comes out for every frame that goes in, one frame later."""

    def __init__(self, like: VideoFrame) -> None:
        self._like = _form(like)
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=like.time_base or Fraction(1, 1000)
        )
        fields = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        self._sink: FilterContext = self._graph.add("buffersink")
        self._source: FilterContext = source
        source.link_to(fields)
        fields.link_to(self._sink)
        self._graph.configure()

    def takes(self, frame: VideoFrame) -> bool:
        """Tell whether a frame is of the form that this was made for."""
        return _form(frame) == self._like

    def put(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Take in a frame; yield those that are ready."""
        self._source.push(frame)
        yield from self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """Yield what is still inside."""
        self._source.push(None)
        yield from self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        while True:
            try:
                found = self._sink.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(found, VideoFrame):
                yield found


def _form(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
