import pytest
import torch
from torch import nn

from models.bench.operations import counted
from models.da3 import Da3
from models.da3.name_seeded import TINY
from models.errors import UnusableInput


def test_a_layer_counts_two_operations_a_weight_and_row():
    assert counted(lambda: nn.Linear(30, 50)(torch.zeros(7, 30))) == 2 * 7 * 30 * 50


def test_fused_attention_is_counted():
    def attend() -> None:
        query = torch.zeros(1, 2, 64, 16)
        torch.nn.functional.scaled_dot_product_attention(query, query, query)

    # two products of 64 x 64 x 16 in each of two heads, two operations each
    assert counted(attend) == 2 * 2 * 2 * 64 * 64 * 16


def test_a_network_that_looks_at_values_of_its_input_is_counted_and_takes_no_memory():
    def see(views: int) -> None:
        Da3(TINY)(torch.zeros(1, views, 3, 700, 700), rays=False)

    one, ten = counted(lambda: see(1)), counted(lambda: see(10))
    assert ten > 10 * one, "views see each other"


def test_what_a_network_refuses_is_refused():
    with pytest.raises(UnusableInput, match="multiples of 14"):
        counted(lambda: Da3(TINY)(torch.zeros(1, 1, 3, 15, 14)))
