"""Which samples a step takes: every one once an epoch, in an order that the seed alone decides."""

from collections import Counter
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning_fabric import Fabric

from tests.training.tiny_runs import quick
from training.batches import EpochBatches
from training.settings import LoopSettings

FABRIC = Fabric(accelerator="cpu", devices=1)


class Names:
    """A batch of numbers."""

    def __init__(self, rows: list[int]) -> None:
        self.names = tuple(map(str, rows))


def steps_of(samples: int, loop: LoopSettings, first: int = 0, count: int | None = None) -> list[list[list[int]]]:
    """The samples of every batch of every step from one on."""
    batches = EpochBatches(range(samples), Names).starting_at(first, loop, FABRIC)
    return [[[int(name) for name in batch.names] for batch in step] for step in islice(batches, count)]


def flat(steps: list[Any]) -> list[int]:
    return [sample for step in steps for batch in step for sample in batch]


def test_every_sample_comes_once_an_epoch_and_epochs_differ():
    steps = steps_of(8, quick(epochs=3, batch_size=2))
    epochs = [flat(steps[start : start + 4]) for start in (0, 4, 8)]
    assert len(steps) == 12
    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_an_epoch_that_does_not_fill_its_last_step_is_filled_up_from_its_own_beginning():
    (first, second, third) = steps_of(5, quick(epochs=1, batch_size=2))
    assert Counter(flat([first, second, third])) == {**dict.fromkeys(range(5), 1), first[0][0]: 2}
    assert third[0][1] == first[0][0]


def test_fewer_samples_than_a_step_takes_come_several_times():
    (step,) = steps_of(3, quick(epochs=1, batch_size=4, accumulate=2))
    assert [len(batch) for batch in step] == [4, 4]
    assert Counter(flat([step])) == {step[0][0]: 3, step[0][1]: 3, step[0][2]: 2}


def test_accumulated_passes_take_the_samples_of_one_large_batch():
    large = steps_of(12, quick(epochs=2, batch_size=6))
    passes = steps_of(12, quick(epochs=2, batch_size=2, accumulate=3))
    assert [flat([step]) for step in large] == [flat([step]) for step in passes]


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.data())
def test_a_training_that_goes_on_gets_what_it_would_have_got(samples: int, size: int, passes: int, data: Any):
    loop = quick(steps=7, batch_size=size, accumulate=passes)
    first = data.draw(st.integers(0, 7))
    assert steps_of(samples, loop, first) == steps_of(samples, loop)[first:]


def test_the_seed_decides_the_order_and_nothing_else_does():
    orders = [flat(steps_of(20, quick(epochs=1, seed=seed))) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert flat(steps_of(20, quick(epochs=1, learning_rate=1.0, precision="bf16-mixed"))) == orders[0]


@pytest.mark.parametrize(
    ("values", "devices", "expected"),
    [
        ({"epochs": 3, "batch_size": 2}, 1, 15),
        ({"epochs": 3, "batch_size": 2, "accumulate": 2}, 1, 9),
        ({"epochs": 3, "batch_size": 2, "accumulate": 2}, 2, 6),
        ({"epochs": 3, "batch_size": 100}, 1, 3),
        ({"epochs": 3, "batch_size": 2, "steps": 4}, 8, 4),
    ],
)
def test_steps_are_those_asked_for_or_those_of_the_epochs(values: dict[str, int], devices: int, expected: int):
    batches = EpochBatches(range(10), Names)
    assert batches.samples == 10
    assert batches.steps(quick(**values), devices) == expected


def test_a_finished_training_reads_no_sample():
    class Refusing:
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> int:
            raise AssertionError(index)

    loop = quick(steps=3)
    assert list(EpochBatches(Refusing(), Names).starting_at(3, loop, FABRIC)) == []
