"""One clock that rises, whatever time stamps do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.clock import LONGEST_STEP_S, RisingClock, duration

FRAME_S = 1 / 12


def times_of(stamps: list[float | None]) -> tuple[list[float], list[bool]]:
    clock, times, follows = RisingClock(FRAME_S), [], []
    for stamp in stamps:
        follows.append(clock.tick(stamp))
        times.append(clock.time_s)
    return times, follows


def test_times_count_from_the_first_frame_shown():
    assert times_of([3600.0, 3600.1, 3600.3])[0] == pytest.approx([0, 0.1, 0.3])


@pytest.mark.parametrize("jump", [-26.5 * 3600, -0.5, 0.0, 1.5, 1e6])
def test_where_time_runs_back_or_jumps_it_goes_on_by_one_frame_and_something_new_begins(jump: float):
    stamps = [0.0, 0.1, 0.2, 0.2 + jump, 0.3 + jump]
    times, follows = times_of(stamps)
    assert times == pytest.approx([0, 0.1, 0.2, 0.2 + FRAME_S, 0.3 + FRAME_S])
    assert follows == [True, True, True, False, True]


def test_frames_that_come_slowly_are_no_gaps():
    clock = RisingClock(nominal_s=5.0)
    assert [clock.tick(stamp) for stamp in (0.0, 5.0, 10.0, 30.0)] == [True, True, True, False]
    assert clock.time_s == 15.0


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=40))
def test_the_clock_rises_with_every_frame_whatever_the_stamps_say(stamps: list[float | None]):
    times, _ = times_of(stamps)
    assert times[0] == 0
    steps = np.diff(times)
    assert np.all(steps > 0)
    assert np.all(steps <= LONGEST_STEP_S + 1e-6)


@given(st.permutations(range(1, 6)), st.integers(1, 4))
def test_a_duration_is_the_same_in_the_order_of_decoding(order: list[int], parts: int):
    """Of pictures that are shown in another order than they are decoded in, each part of a recording on its own."""
    shown = [place * FRAME_S for _ in range(parts) for place in (0, *order)]
    decoded = [place * FRAME_S for _ in range(parts) for place in range(6)]
    length = duration(zip(shown, decoded, strict=True), FRAME_S, FRAME_S)
    assert length == pytest.approx(6 * parts * FRAME_S)
