"""Learning from labels: the losses of all layers, and what a linear probe freezes."""

from dataclasses import replace

import pytest
import torch

from models.symphonies import PRESETS, Symphonies
from tests.training.rooms import RoomFrames
from training.data import collate
from training.tasks.supervise import Supervision, views_of

BATCH = collate([RoomFrames(1)[0]])
DEEP = replace(PRESETS["tiny"], layers=2, deep_supervision=True)
NAMES = {"cross_entropy", "semantic_affinity", "geometric_affinity", "proportion"}


def network_of(config: object) -> Symphonies:
    torch.manual_seed(0)
    return Symphonies(config)


def test_a_network_may_see_everything_but_the_labels():
    views = views_of(BATCH)
    assert not hasattr(views, "labels")
    assert views.rgb is BATCH.rgb
    views.check()


def test_what_is_minimised_is_the_sum_of_the_four_losses():
    losses = Supervision(network_of(PRESETS["tiny"]))(BATCH)
    assert losses.keys() == NAMES | {"total"}
    total = sum(float(losses[name].detach()) for name in NAMES)
    assert float(losses["total"].detach()) == pytest.approx(total, rel=1e-6)


def test_layers_before_the_last_count_by_their_weight():
    totals, last = {}, 0.0
    for weight in (0.0, 0.5, 1.0):
        losses = Supervision(network_of(DEEP), earlier_layers=weight).train()(BATCH)
        totals[weight] = float(losses["total"].detach())
        last = sum(float(losses[name].detach()) for name in NAMES)
    assert totals[0.0] == pytest.approx(last, rel=1e-6)
    assert totals[0.5] - totals[0.0] == pytest.approx((totals[1.0] - totals[0.0]) / 2, rel=1e-4)
    assert totals[1.0] > totals[0.5] > totals[0.0]


def test_what_a_linear_probe_freezes_keeps_its_statistics_and_drops_nothing():
    network = network_of(replace(PRESETS["tiny"], norm="batch", dropout=0.5))
    probe = Supervision(network, linear_probe=True).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, second = (probe(BATCH)["total"] for _ in range(2))
    assert first == second
    torch.autograd.backward(first)
    assert {name for name, value in network.named_parameters() if value.grad is not None} == {
        "head.weight",
        "head.bias",
    }
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training
    assert probe.training


def test_without_a_probe_everything_trains():
    task = Supervision(network_of(PRESETS["tiny"])).train()
    assert task.network.training
    assert all(value.requires_grad for value in task.parameters())
