"""Rotary position embedding."""

import torch

from models.rotary import Rotation


def test_a_grid_is_its_places_row_by_row():
    grid = Rotation.of_grid(2, 3, 16, torch.device("cpu"))
    places = Rotation.of_places(torch.tensor([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]), 16)
    assert torch.equal(grid.cos, places.cos)
    assert torch.equal(grid.sin, places.sin)


def test_products_tell_how_far_tokens_are_from_one_another_and_not_where():
    query, key = torch.randn(2, 1, 1, 1, 16)

    def product(one: list[int], other: list[int]) -> torch.Tensor:
        turned = [
            Rotation.of_places(torch.tensor([place]), 16).apply(head) for place, head in ((one, query), (other, key))
        ]
        return (turned[0] * turned[1]).sum()

    assert torch.allclose(product([1, 2], [4, 6]), product([11, 7], [14, 11]), atol=1e-4)
    assert not torch.allclose(product([1, 2], [4, 6]), product([1, 2], [6, 4]), atol=1e-2)


def test_sequences_behind_one_another_have_the_same_angles():
    once = Rotation.of_grid(2, 2, 16, torch.device("cpu"))
    twice = once.repeated(2)
    assert torch.equal(twice.cos[4:], once.cos)
    assert torch.equal(twice.sin[:4], once.sin)
