"""Intervals over houses: they cover the truth as often as they say, and pair what is paired."""

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.overlap import overlap
from training.errors import UnusableDataset
from training.probes.scores import HouseCounts, ProbeScore, class_intervals, counted, gain_interval, miou_interval


def drawn(rng: np.random.Generator, houses: int = 40, seed: int = 0, better: float = 0.0) -> ProbeScore:
    """Houses of many voxels of two classes; how well a probe does differs more between houses than chance has it."""
    found = {}
    for house in range(houses):
        right = np.clip(rng.normal(0.5 + better, 0.15, 2), 0, 1)
        true = rng.integers(50, 150, 2)
        matched = rng.binomial(true, right)
        rows = [np.pad(row, (0, 9)).tolist() for row in (matched, matched + 20, true)]
        found[f"house{house}"] = HouseCounts(matched=rows[0], predicted=rows[1], true=rows[2])
    return ProbeScore(start="any", rooms=4, seed=seed, ridge=1.0, houses=found)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [miou_interval([drawn(rng)]) for _ in range(100)]
    truth = drawn(np.random.default_rng(99), houses=40_000).miou
    covered = sum(found.low <= truth <= found.high for found in intervals)
    assert 88 <= covered <= 100
    assert 0.002 < intervals[0].high - intervals[0].low < 0.05


def test_counts_are_the_benchmarks_own_and_miou_is_too():
    rng = np.random.default_rng(1)
    predicted, labels = (rng.integers(0, 12, 500).astype(np.uint8) for _ in range(2))
    houses = rng.choice(["a", "b", "c"], 500)
    found = ProbeScore(start="x", rooms=1, seed=0, ridge=1, houses=counted(predicted, labels, houses))
    assert sorted(found.houses) == ["a", "b", "c"]
    assert found.miou == pytest.approx(overlap(predicted, labels).miou)
    by_class = class_intervals([found])
    assert by_class["chair"].value == pytest.approx(overlap(predicted, labels).class_iou[5])
    assert all(interval.low <= interval.value <= interval.high for interval in by_class.values())


def test_a_gain_is_paired_by_house_and_seed():
    rng = np.random.default_rng(2)
    theirs = [drawn(rng, seed=seed) for seed in (0, 1, 2)]
    more = [
        score.model_copy(update={"houses": {name: one_more(house) for name, house in score.houses.items()}})
        for score in reversed(theirs)
    ]
    gain, alone = gain_interval(more, theirs), miou_interval(theirs)
    assert 0 < gain.low < gain.value < gain.high
    assert gain.high - gain.low < (alone.high - alone.low) / 5
    nothing = gain_interval(theirs, theirs)
    assert (nothing.low, nothing.value, nothing.high) == (0, 0, 0)
    assert gain.points("+").startswith("+")
    of_two = gain_interval(more, theirs, (SemanticClass.CEILING, SemanticClass.FLOOR))
    assert of_two.value == pytest.approx(gain.value * 11 / 2), "only the first two classes occur"
    assert gain_interval(more, theirs, (SemanticClass.CHAIR,)).value == 0


def one_more(house: HouseCounts) -> HouseCounts:
    right = tuple(min(m + 1, t) for m, t in zip(house.matched, house.true, strict=True))
    return house.model_copy(update={"matched": right})


def test_what_seeds_differ_by_widens_an_interval():
    rng = np.random.default_rng(3)
    alike = [drawn(rng)] * 5
    unlike = [drawn(rng, seed=seed, better=better) for seed, better in enumerate((-0.2, -0.1, 0, 0.1, 0.2))]
    widths = [found.high - found.low for found in (miou_interval(alike), miou_interval(unlike))]
    assert widths[1] > 2 * widths[0]


def test_one_house_has_no_interval_and_strangers_have_no_gain():
    rng = np.random.default_rng(4)
    with pytest.raises(UnusableDataset, match="one house"):
        miou_interval([drawn(rng, houses=1)])
    with pytest.raises(UnusableDataset, match="common seed"):
        gain_interval([drawn(rng, seed=0)], [drawn(rng, seed=1)])
