"""Frames near some times of a video, found by seeking, so that a look at a long one does not cost decoding all of it.

Where seeking leads nowhere (one key frame, time stamps that begin anew) all of it is decoded.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
from av.video.stream import VideoStream

from pipeline.contract.arrays import Images
from pipeline.media.container import nominal_rate, opened
from pipeline.media.decoding import ShownFrame, shown_frames, stated_colours
from pipeline.media.probe import is_continuous

EXACT_S = 1e-3
Draw = Callable[[ShownFrame, VideoStream], Images]
"""Makes a picture of a frame that was found."""


def pictures_near(path: Path, times_s: Sequence[float], draw: Draw) -> Iterator[Images | None]:
    """Yield a picture of the first frame at or after each time, None for a time past the end.

    times_s: seconds from the first frame shown, in any order.

    Raises:
        BrokenVideo: the video does not decode.
    """
    found = list(_by_seeking(path, times_s, draw)) if is_continuous(path) else []
    if len(found) < len(times_s):
        found = _by_decoding(path, times_s, draw)
    yield from found


def _by_seeking(path: Path, times_s: Sequence[float], draw: Draw) -> Iterator[Images | None]:
    """Yield pictures until a place is met that seeking does not lead to."""
    with opened(path) as (container, stream):
        begin_s, colours = (container.start_time or 0) / av.time_base, stated_colours(container, stream)
        for time_s in times_s:
            container.seek(int((begin_s + time_s) * av.time_base))
            shown = shown_frames(container, stream, colours)
            leads_there, picture = _found(shown, stream, begin_s + time_s, draw)
            if not leads_there:
                return
            yield picture


def _found(
    frames: Iterator[ShownFrame], stream: VideoStream, wanted_s: float, draw: Draw
) -> tuple[bool, Images | None]:
    """Return whether frames begin at a time on the container's clock or before it, and the picture there."""
    leads_there = False
    for shown in frames:
        at_s = wanted_s if shown.frame.time is None else float(shown.frame.time)
        leads_there = leads_there or at_s <= wanted_s + 1 / nominal_rate(stream)
        if not leads_there:
            break
        if at_s >= wanted_s - EXACT_S:
            return True, draw(shown, stream)
    return leads_there, None


def _by_decoding(path: Path, times_s: Sequence[float], draw: Draw) -> list[Images | None]:
    found: list[Images | None] = [None] * len(times_s)
    waiting = sorted(range(len(times_s)), key=lambda place: times_s[place], reverse=True)
    with opened(path) as (container, stream):
        for shown in shown_frames(container, stream):
            while waiting and shown.time_s >= times_s[waiting[-1]] - EXACT_S:
                found[waiting.pop()] = draw(shown, stream)
            if not waiting:
                break
    return found
