"""What a comparison could see: against simulated experiments."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from training.studies.power import SEEN_DEVIATION, power_line, seeds_for, smallest_gain, t_interval


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_gain_of_that_size_is_found_in_four_of_five_experiments(seeds: int):
    rng = np.random.default_rng(seeds)
    gains = rng.normal(smallest_gain(seeds, 0.03), 0.03, (4000, seeds))
    found = ttest_1samp(gains, 0, axis=1).pvalue < 0.05
    assert 0.72 < found.mean() < 0.85


def test_more_seeds_see_more_and_one_sees_nothing():
    assert smallest_gain(1, 0.03) == float("inf")
    assert smallest_gain(10, 0.03) < smallest_gain(5, 0.03) < smallest_gain(2, 0.03)
    needed = seeds_for(0.04, SEEN_DEVIATION)
    assert smallest_gain(needed, SEEN_DEVIATION) <= 0.04 < smallest_gain(needed - 1, SEEN_DEVIATION)


def test_the_interval_holds_the_mean_in_nineteen_of_twenty_experiments():
    rng = np.random.default_rng(1)
    bounds = np.array([t_interval(rng.normal(0.02, 0.03, 5).tolist()) for _ in range(2000)])
    assert 0.935 < ((bounds[:, 0] <= 0.02) & (bounds[:, 1] >= 0.02)).mean() < 0.965
    assert t_interval([0.02]) == (-float("inf"), float("inf"))


def test_it_is_said_in_a_line():
    assert power_line(5, SEEN_DEVIATION) == (
        "with a deviation of 2.95 points over seeds, 5 of them show a gain of 4.9 points or more (5 %, power 80 %); "
        "+4 takes 7 seeds"
    )
    assert "a single one shows no gain, however large; +4 takes 7 seeds" in power_line(1, SEEN_DEVIATION)
