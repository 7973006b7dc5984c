import numpy as np
import pytest

from pipeline.tours.effects.clock import TICKS, FrameClock


def test_even_frames_stand_at_multiples_of_a_frames_time():
    clock = FrameClock(1, 12, 240)
    assert [clock.seconds(frame) for frame in (0, 6, 240)] == [0, 0.5, 20]
    assert clock.span(3, 9) == 0.5
    assert clock.tick(12) == TICKS


@pytest.mark.parametrize("seed", range(5))
def test_uneven_frames_rise_on_ticks_and_some_stay_longer(seed: int):
    clock = FrameClock(seed, 30, 600, variable=True)
    times = np.array([clock.seconds(frame) for frame in range(601)])
    assert times[0] == 0
    spans = np.diff(times) * 30
    assert spans.min() > 0.55
    assert 0.02 < (spans > 1.6).mean() < 0.2
    np.testing.assert_allclose(times * TICKS, np.round(times * TICKS), atol=1e-6)
    assert clock.span(10, 20) == times[20] - times[10]
    assert [FrameClock(seed, 30, 600, variable=True).seconds(frame) for frame in (5, 600)] == [times[5], times[600]]
