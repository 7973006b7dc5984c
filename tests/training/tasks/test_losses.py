"""Losses against plain re-writings of the published formulas, and what they do with unknown voxels."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.contract.classes import SemanticClass
from tests.training.rooms import RoomFrames
from training.data import collate
from training.tasks.losses import (
    TILES,
    Truth,
    cross_entropy,
    geometric_affinity,
    occupancy_losses,
    proportion,
    semantic_affinity,
)


def drawn(seed: int, n: int = 500, classes: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, classes, generator=generator, dtype=torch.float64) * 2
    labels = torch.randint(0, 7, (n,), generator=generator)
    return logits, labels


def test_cross_entropy_weighs_empty_voxels_little():
    logits, labels = drawn(0)
    weight = torch.ones(12, dtype=torch.float64)
    weight[0] = 0.05
    assert cross_entropy(logits.log_softmax(1), labels) == pytest.approx(
        float(functional.cross_entropy(logits, labels, weight)), rel=1e-6
    )


def test_semantic_affinity_is_the_mean_over_classes_that_occur():
    logits, labels = drawn(1)
    p = logits.softmax(1)
    terms = []
    for label in range(7):
        mine = labels == label
        precision = p[mine, label].sum() / p[:, label].sum()
        recall = p[mine, label].mean()
        specificity = (1 - p[~mine, label]).mean()
        terms.append(-(precision.log() + recall.log() + specificity.log()))
    assert float(semantic_affinity(p, labels)) == pytest.approx(float(torch.stack(terms).mean()), rel=1e-9)


def test_geometric_affinity_compares_occupied_with_empty():
    logits, labels = drawn(2)
    p, occupied = logits.softmax(1), labels > 0
    full = 1 - p[:, 0]
    precision, recall = full[occupied].sum() / full.sum(), full[occupied].mean()
    specificity = p[~occupied, 0].mean()
    expected = -(precision.log() + recall.log() + specificity.log())
    assert float(geometric_affinity(p, labels)) == pytest.approx(float(expected), rel=1e-9)


def test_proportion_is_the_divergence_of_class_shares_tile_by_tile():
    logits, labels = drawn(3)
    p = logits.softmax(1)
    tiles = torch.randint(-1, 5, (len(labels),), generator=torch.Generator().manual_seed(9))
    terms = []
    for tile in range(5):
        mine = tiles == tile
        true = torch.bincount(labels[mine], minlength=12).double() / mine.sum()
        guess = p[mine].sum(0) / p[mine].sum()
        there = true > 0
        terms.append((true[there] * (true[there].log() - guess[there].log())).sum())
    assert float(proportion(p, labels, tiles)) == pytest.approx(float(torch.stack(terms).mean()), rel=1e-9)


def test_unknown_voxels_give_no_gradient_and_all_unknown_grids_no_loss():
    batch = collate([RoomFrames(1)[0]])
    truth = Truth.of(batch.labels, batch.pixels, batch.in_view)
    assert int(truth.tiles.max()) < TILES * TILES
    logits = torch.randn(1, 12, 60, 60, 36, requires_grad=True)
    torch.stack(list(occupancy_losses(logits, truth).values())).sum().backward()
    moved = logits.grad.abs().sum(dim=1).flatten() > 0
    assert torch.equal(moved, truth.labels[0] != 255)
    blank = Truth(torch.full_like(truth.labels, 255), truth.tiles)
    assert [float(value) for value in occupancy_losses(logits, blank).values()] == [0, 0, 0, 0]


LOSSES = {"cross_entropy": cross_entropy, "semantic": semantic_affinity, "geometric": geometric_affinity}


@pytest.mark.parametrize("name", [*LOSSES, "proportion"])
def test_a_voxel_of_weight_two_counts_as_two_voxels(name: str):
    logits, labels = drawn(5)
    times = torch.randint(0, 3, (len(labels),), generator=torch.Generator().manual_seed(1))
    tiles = torch.randint(-1, 5, (len(labels),), generator=torch.Generator().manual_seed(9))
    there = times > 0
    given = logits.log_softmax(1) if name == "cross_entropy" else logits.softmax(1)

    def loss(rows: torch.Tensor, weights: torch.Tensor | None) -> float:
        rest = (tiles[rows],) if name == "proportion" else ()
        return float(LOSSES.get(name, proportion)(given[rows], labels[rows], *rest, weights))

    weighted = loss(torch.arange(len(labels))[there], times[there].double())
    assert weighted == pytest.approx(loss(torch.arange(len(labels)).repeat_interleave(times), None), rel=1e-9)
    assert weighted != pytest.approx(loss(torch.arange(len(labels)), None), rel=1e-6)


def test_grids_count_by_the_mean_weight_of_their_known_voxels():
    batch = collate([RoomFrames(1)[0]])
    truth = Truth.of(batch.labels, batch.pixels, batch.in_view)
    logits = torch.randn(1, 12, 60, 60, 36, generator=torch.Generator().manual_seed(0))
    plain = occupancy_losses(logits, truth)
    for weight in (1.0, 0.25):
        weights = torch.where(batch.labels == 255, 100.0, weight)
        weighted = occupancy_losses(logits, Truth.of(batch.labels, batch.pixels, batch.in_view, weights))
        expected = {name: weight * float(loss) for name, loss in plain.items()}
        assert {name: float(loss) for name, loss in weighted.items()} == pytest.approx(expected, rel=1e-5)


def test_a_voxel_without_a_name_wants_any_class_and_blames_none():
    logits, labels = drawn(4)
    unnamed = torch.where(torch.arange(len(labels)) % 3 == 0, SemanticClass.UNNAMED, labels)
    p, weight = logits.softmax(1), torch.where(unnamed == 0, 0.05, 1.0).double()
    right = torch.where(unnamed == SemanticClass.UNNAMED, 1 - p[:, 0], p[torch.arange(len(p)), labels])
    expected = -(weight * right.log()).sum() / weight.sum()
    assert float(cross_entropy(logits.log_softmax(1), unnamed)) == pytest.approx(float(expected), rel=1e-6)
    assert float(geometric_affinity(p, unnamed)) == float(geometric_affinity(p, (unnamed > 0).long()))


def test_grids_without_any_name_teach_what_is_occupied_and_no_class():
    labels = torch.full((1, 60, 60, 36), 12, dtype=torch.uint8)
    labels[..., :18] = 255
    pixels, in_view = torch.zeros(1, 129600, 2, dtype=torch.int32), torch.ones(1, 129600, dtype=torch.bool)
    logits = torch.randn(1, 12, 60, 60, 36, requires_grad=True, generator=torch.Generator().manual_seed(0))
    losses = occupancy_losses(logits, Truth.of(labels, pixels, in_view))
    assert float(losses["semantic_affinity"]) == float(losses["proportion"]) == 0
    torch.stack(list(losses.values())).sum().backward()
    known = logits.grad[0, :, :, :, 18:]
    assert (known[0] > 0).all(), "less of empty"
    shares = logits.detach()[0, 1:, :, :, 18:].softmax(dim=0)
    assert torch.allclose(known[1:], -known[0] * shares, atol=1e-9), "all classes alike, by what they have already"


@pytest.mark.parametrize("only", [0, 3])
def test_a_perfect_answer_loses_nothing_even_if_one_class_fills_the_grid(only: int):
    labels = torch.full((1, 60, 60, 36), only, dtype=torch.uint8)
    pixels, in_view = torch.zeros(1, 129600, 2, dtype=torch.int32), torch.ones(1, 129600, dtype=torch.bool)
    logits = torch.full((1, 12, 60, 60, 36), -40.0)
    logits[:, only] = 40
    losses = occupancy_losses(logits, Truth.of(labels, pixels, in_view))
    assert np.allclose([float(value) for value in losses.values()], 0, atol=1e-5)
