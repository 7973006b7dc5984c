"""Samples: tensors that share their first axis, taken apart and put together."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from training.small.samples import Samples


@dataclass(frozen=True)
class Pairs(Samples):
    """Two tensors."""

    left: Tensor
    right: Tensor


SIX = Pairs(torch.arange(6), torch.arange(12).reshape(6, 2))


def test_rows_are_taken_from_every_tensor():
    some = SIX.rows(torch.tensor([4, 0]))
    assert len(some) == 2
    assert some.left.tolist() == [4, 0]
    assert some.right.tolist() == [[8, 9], [0, 1]]
    assert SIX.rows(slice(1, 3)).left.tolist() == [1, 2]


def test_what_was_taken_apart_goes_together_again():
    whole = Pairs.concatenate([SIX.rows(slice(0, 2)), SIX.rows(slice(2, 2)), SIX.rows(slice(2, 6))])
    assert torch.equal(whole.left, SIX.left)
    assert torch.equal(whole.right, SIX.right)


def test_samples_move_as_a_whole_and_say_where_they_are():
    moved = SIX.to(torch.device("meta"))
    assert type(moved) is Pairs
    assert moved.device == moved.right.device == torch.device("meta")
    assert SIX.device == torch.device("cpu")


def test_samples_cannot_be_changed_behind_the_back_of_a_chunk():
    with pytest.raises(AttributeError):
        SIX.left = torch.zeros(6)
