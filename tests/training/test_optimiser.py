"""AdamW's groups, the schedules of the learning rate, and the moving average of the weights."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.training.tiny_runs import quick
from training.optimiser import learning_rate, moving_average, new_optimizer, set_learning_rate, trained_weights


class Encoded(nn.Module):
    """A task whose image encoder comes before the rest, as in the occupancy network."""

    def __init__(self) -> None:
        super().__init__()
        parts = {"backbone": nn.Linear(3, 3), "pixel_decoder": nn.Linear(3, 3), "neck": nn.Linear(3, 3)}
        self.network = nn.ModuleDict({"encoder": nn.ModuleDict(parts), "head": nn.Linear(3, 1)})


def groups_of(task: nn.Module, **settings: object) -> dict[tuple[float, float], set[str]]:
    """Names of the weights by (share of the learning rate, weight decay)."""
    names = {id(weights): name for name, weights in task.named_parameters()}
    optimizer = new_optimizer(task, quick(**settings))
    return {
        (group["share"], group["weight_decay"]): {names[id(weights)] for weights in group["params"]}
        for group in optimizer.param_groups
    }


def both(*modules: str) -> set[str]:
    return {f"network.{module}.{kind}" for module in modules for kind in ("weight", "bias")}


def test_the_image_encoder_has_its_share_of_the_learning_rate():
    found = groups_of(Encoded(), encoder_rate=0.2, weight_decay=0.3)
    assert found == {
        (0.2, 0.3): both("encoder.backbone", "encoder.pixel_decoder"),
        (1.0, 0.3): both("encoder.neck", "head"),
    }


def test_only_matrices_decay_where_that_is_wanted():
    found = groups_of(Encoded(), weight_decay=0.3, weight_decay_of="matrices", encoder_rate=0.2)
    assert set(found) == {(0.2, 0.3), (0.2, 0.0), (1.0, 0.3), (1.0, 0.0)}
    for (_, decay), names in found.items():
        assert {name.rpartition(".")[2] for name in names} == {"weight" if decay else "bias"}


def test_every_weight_that_is_trained_is_in_one_group_and_frozen_ones_in_none():
    task = Encoded()
    task.network["head"].requires_grad_(requires_grad=False)
    found = [name for names in groups_of(task, weight_decay_of="matrices").values() for name in names]
    assert sorted(found) == sorted(both("encoder.backbone", "encoder.pixel_decoder", "encoder.neck"))


def test_the_norm_of_gradients_is_summed_with_the_image_encoders_last():
    task = Encoded()
    names = {id(weights): name for name, weights in task.named_parameters()}
    order = [names[id(weights)].split(".")[-2] for weights in trained_weights(task)]
    assert order == ["neck", "neck", "head", "head", "backbone", "backbone", "pixel_decoder", "pixel_decoder"]


def test_betas_and_epsilon_reach_adamw():
    (group,) = new_optimizer(nn.Linear(2, 2), quick(betas=(0.8, 0.9), epsilon=0.5)).param_groups
    assert (group["betas"], group["eps"]) == ((0.8, 0.9), 0.5)


def test_the_rate_falls_to_a_tenth_at_its_share_of_the_steps():
    loop = quick(learning_rate=1.0, decay_at=0.5)
    assert [learning_rate(loop, step, 6) for step in range(6)] == [1, 1, 1, 0.1, 0.1, 0.1]
    never = quick(learning_rate=1.0, decay_at=1)
    assert {learning_rate(never, step, 6) for step in range(6)} == {1}


def test_a_cosine_falls_from_its_highest_to_almost_nothing():
    loop = quick(learning_rate=2.0, schedule="cosine")
    rates = [learning_rate(loop, step, 10) for step in range(10)]
    assert rates == pytest.approx([1 + math.cos(math.pi * step / 10) for step in range(10)])
    assert rates[0] == 2.0


def test_a_warm_up_rises_evenly_and_joins_either_schedule():
    for schedule in ("cosine", "step"):
        loop = quick(learning_rate=1.0, schedule=schedule, warm_up=4, decay_at=1)
        assert [learning_rate(loop, step, 20) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
        assert learning_rate(loop, 4, 20) == 1.0


def test_a_training_shorter_than_its_warm_up_only_rises():
    loop = quick(learning_rate=1.0, schedule="cosine", warm_up=100)
    assert [learning_rate(loop, step, 3) for step in range(3)] == [0.01, 0.02, 0.03]


@given(
    st.integers(1, 400),
    st.integers(0, 50),
    st.sampled_from(["step", "cosine"]),
    st.floats(0.01, 1),
)
def test_no_rate_is_negative_or_above_the_highest(steps: int, warm_up: int, schedule: str, decay_at: float):
    loop = quick(learning_rate=0.5, schedule=schedule, warm_up=warm_up, decay_at=decay_at)
    rates = [learning_rate(loop, step, steps) for step in range(steps)]
    assert all(0 < rate <= 0.5 for rate in rates)
    after = rates[min(warm_up, steps - 1) :]
    assert after == sorted(after, reverse=True) or len(after) == 1, "after the warm-up it never rises"


def test_groups_get_their_share_of_the_rate_of_the_step():
    loop = quick(learning_rate=1.0, decay_at=0.5, encoder_rate=0.25)
    optimizer = new_optimizer(Encoded(), loop)
    for step, rate in ((0, 1.0), (9, 0.1)):
        set_learning_rate(optimizer, loop, step, 10)
        assert {group["share"]: group["lr"] for group in optimizer.param_groups} == {0.25: rate / 4, 1.0: rate}


def test_without_a_decay_no_mean_is_kept():
    assert moving_average(nn.Linear(1, 1), quick()) is None


def test_the_mean_forgets_the_first_weights_sooner_than_its_decay():
    task = nn.Linear(1, 1, bias=False)
    averaged = moving_average(task, quick(ema_decay=0.999))
    expected = None
    for count, value in enumerate((1.0, 2.0, 3.0, 4.0)):
        nn.init.constant_(task.weight, value)
        averaged.update_parameters(task)
        decay = min(0.999, (1 + count) / (10 + count))
        expected = value if expected is None else decay * expected + (1 - decay) * value
        assert float(averaged.module.weight.detach()) == pytest.approx(expected, rel=1e-6)


def test_the_mean_of_a_long_training_has_its_decay():
    task = nn.Linear(1, 1, bias=False)
    averaged = moving_average(task, quick(ema_decay=0.5))
    nn.init.constant_(task.weight, 0.0)
    for _ in range(40):
        averaged.update_parameters(task)
    nn.init.constant_(task.weight, 1.0)
    averaged.update_parameters(task)
    assert float(averaged.module.weight.detach()) == pytest.approx(0.5)


def test_statistics_follow_the_mean_and_counters_are_taken_as_they_are():
    task = nn.BatchNorm1d(2).train()
    averaged = moving_average(task, quick(ema_decay=0.5))
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        task(torch.randn(4, 2, generator=generator))
        averaged.update_parameters(task)
    assert int(averaged.module.num_batches_tracked) == 3
    assert not torch.equal(averaged.module.running_mean, task.running_mean)
    assert averaged.module.running_mean.abs().max() > 0


def test_the_mean_is_a_network_of_its_own():
    task = nn.Linear(2, 2)
    averaged = moving_average(task, quick(ema_decay=0.5))
    before = averaged.module.weight.clone()
    nn.init.zeros_(task.weight)
    assert torch.equal(averaged.module.weight, before)
