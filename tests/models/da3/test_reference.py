"""The choice of the reference view."""

import pytest
import torch

from models.da3.reference import choose_reference, reference_first, reordered
from models.errors import UnusableInput


def test_the_view_in_the_middle_of_the_others_is_chosen():
    angle = torch.tensor([0.0, 0.3, 0.65, 1.1, 1.4])
    tokens = torch.stack([angle.cos(), angle.sin(), torch.zeros(5)], dim=-1)[None] * torch.linspace(1, 2, 5)[:, None]
    found = choose_reference(torch.cat([tokens, tokens.flip(1)]), "saddle_balanced")
    assert found[0] in (1, 2, 3)
    assert found[1] == 4 - found[0]  # of each set by itself


@pytest.mark.parametrize(("strategy", "index"), [("first", 0), ("middle", 2), ("saddle_sim_range", 0)])
def test_other_strategies(strategy: str, index: int):
    tokens = torch.eye(6)[None, [0, 1, 2, 0, 4]] + 0.01
    tokens[0, 0, 1] = -0.9  # like the fourth, unlike the second
    assert choose_reference(tokens, strategy).tolist() == [index]


def test_no_such_strategy():
    with pytest.raises(UnusableInput, match="choose one of saddle_balanced"):
        choose_reference(torch.ones(1, 3, 4), "best")


def test_the_reference_comes_first_and_the_others_keep_their_order():
    order = reference_first(torch.tensor([2, 0]), 4)
    assert order.tolist() == [[2, 0, 1, 3], [0, 1, 2, 3]]
    views = torch.arange(8).reshape(2, 4, 1)
    there = reordered(views, order)
    assert there[0, :, 0].tolist() == [2, 0, 1, 3]
    assert torch.equal(reordered(there, order.argsort(dim=1)), views)
