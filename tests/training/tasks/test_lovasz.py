"""The Lovász-softmax loss against its definition: the Lovász extension of one minus the IoU, set by set."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.tasks.lovasz import lovasz_softmax

PLACES = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1)), min_size=1, max_size=12)


def jaccard_loss(wrong: set[int], true: set[int]) -> float:
    """One minus the IoU of a prediction that is wrong at some places and right at all others (Berman et al., eq. 6)."""
    return len(wrong) / len(true | wrong)


def extension(errors: list[float], true: set[int]) -> float:
    """The Lovász extension as an integral: the loss of the places whose error reaches a level, over all levels."""
    levels = sorted({0.0, *errors})
    return sum(
        (high - low) * jaccard_loss({i for i, error in enumerate(errors) if error >= high}, true)
        for low, high in pairwise(levels)
    )


def brute_force(probabilities: torch.Tensor, labels: torch.Tensor) -> float:
    losses = []
    for label in set(labels.tolist()):
        true = {i for i, found in enumerate(labels.tolist()) if found == label}
        errors = [abs((i in true) - p) for i, p in enumerate(probabilities[:, label].tolist())]
        losses.append(extension(errors, true))
    return sum(losses) / len(losses)


@settings(max_examples=200)
@given(PLACES)
def test_it_is_the_mean_extension_of_the_jaccard_loss_of_the_classes_there(places: list[tuple[int, int]]):
    occupied = torch.tensor([percent / 100 for percent, _ in places], dtype=torch.float64)
    labels = torch.tensor([label for _, label in places])
    probabilities = torch.stack([1 - occupied, occupied], dim=1)
    found = float(lovasz_softmax(probabilities, labels))
    assert found == pytest.approx(brute_force(probabilities, labels), abs=1e-9)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20))
def test_of_hard_answers_it_is_one_minus_the_iou(places: list[tuple[int, int]]):
    said, labels = (torch.tensor(column) for column in zip(*places, strict=True))
    ious = [((said == c) & (labels == c)).sum() / ((said == c) | (labels == c)).sum() for c in labels.unique()]
    found = lovasz_softmax(torch.eye(3, dtype=torch.float64)[said], labels)
    assert float(found) == pytest.approx(1 - float(torch.stack(ious).mean()), abs=1e-6)


def test_its_gradient_is_that_of_finite_differences_and_moves_towards_the_truth():
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(9, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 3, (9,), generator=generator)
    assert torch.autograd.gradcheck(lambda given: lovasz_softmax(given, labels), probabilities)
    lovasz_softmax(probabilities, labels).backward()
    own = torch.nn.functional.one_hot(labels, 3).bool()
    assert (probabilities.grad[own] <= 0).all()
    assert (probabilities.grad[~own] >= 0).all()


def test_without_any_place_there_is_no_loss_but_a_graph():
    nothing = torch.zeros(0, 2, requires_grad=True)
    loss = lovasz_softmax(nothing, torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert float(loss.detach()) == 0
