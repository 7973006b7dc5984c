"""One clock that rises through a whole video, whatever its time stamps do.

Joined recordings begin their time anew, broadcast counters wrap after 26.5 hours, and recordings that were interrupted
leave gaps. There the clock goes on by one nominal frame, and something new begins.
"""

from collections.abc import Iterable

LEAST_STEP_S = 1e-6
LONGEST_STEP_S = 1.0
"""A longer step between two frames is a gap in the recording, unless the frames themselves come that slowly."""


class RisingClock:
    """Tells the time of each frame, seconds from the first one.

    nominal_s: how long a frame is shown where its time stamps do not say. wraps_s: after how long the container's clock
    begins anew, None where it does not.
    """

    def __init__(self, nominal_s: float, wraps_s: float | None = None) -> None:
        self._wraps_s = wraps_s
        self._nominal_s = nominal_s
        self._longest_s = max(LONGEST_STEP_S, 2 * nominal_s)
        self._before: float | None = None
        self._is_first = True
        self.time_s = 0.0

    def tick(self, stamp_s: float | None) -> bool:
        """Go on to the next frame; return whether its time stamp follows from the one before.

        stamp_s: seconds on the container's clock, None where it says nothing.
        """
        step = None if stamp_s is None or self._before is None else stamp_s - self._before
        if step is not None and step < 0 and self._wraps_s:
            step += self._wraps_s
        follows = step is None or LEAST_STEP_S <= step <= self._longest_s
        if not self._is_first:
            self.time_s += step if step is not None and follows else self._nominal_s
        self._before, self._is_first = stamp_s, False
        return follows


def duration(
    stamps: Iterable[tuple[float | None, float | None]], nominal_s: float, last_s: float, wraps_s: float | None = None
) -> float:
    """Return how long frames are shown: from the beginning of the first to the end of the last.

    stamps: of each frame in the order of decoding, when it is shown and decoded, seconds on the container's clock.
    nominal_s: how long a frame is shown where nothing says. last_s: how long the last one is shown. wraps_s: as of the
    clock.
    """
    clock, before, run = RisingClock(nominal_s, wraps_s), RisingClock(nominal_s, wraps_s), list[float | None]()
    for shown, decoded in stamps:
        if not before.tick(decoded):  # in this order times of showing may run back, which is no gap
            _count(clock, run, wraps_s)
            run.clear()
        run.append(decoded if shown is None else shown)
    _count(clock, run, wraps_s)
    return clock.time_s + last_s


def _count(clock: RisingClock, run: list[float | None], wraps_s: float | None) -> None:
    """Let a clock count frames whose order of decoding is not that of showing; a gap of the run is one of the clock."""
    first = next((stamp for stamp in run if stamp is not None), 0.0)

    def place(stamp: float | None) -> float:
        has_wrapped = stamp is not None and wraps_s is not None and stamp < first - wraps_s / 2
        return first - 1 if stamp is None else stamp + (wraps_s or 0.0) * has_wrapped

    for stamp in sorted(run, key=place):
        clock.tick(stamp)
