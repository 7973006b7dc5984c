"""Weights as they ship: half precision, with what builds the network, whole or not at all."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from tests.pipeline.small_files import files_limited_to
from tests.training.small.tiny_recipe import HalvesRecipe
from training.small.ship import ship


def test_weights_are_shipped_in_half_precision_with_what_builds_the_network(tmp_path: Path):
    recipe = HalvesRecipe()
    network = recipe.network()
    path = ship(recipe, network, tmp_path)
    assert path.name == "halves_small.safetensors"
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt", "config": recipe.network_config()}
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        assert torch.equal(file.get_tensor("0.weight"), network[0].weight.detach().half())


def test_counters_of_batches_stay_behind_and_statistics_do_not(tmp_path: Path):
    names = set(load_file(ship(HalvesRecipe(), HalvesRecipe().network(), tmp_path)))
    assert "1.num_batches_tracked" not in names
    assert {"1.running_mean", "1.running_var"} <= names


def test_what_shares_memory_is_shipped_twice(tmp_path: Path):
    network = nn.ModuleDict({"one": nn.Linear(2, 2, bias=False), "other": nn.Linear(2, 2, bias=False)})
    network["other"].weight = network["one"].weight
    shipped = load_file(ship(HalvesRecipe(), network, tmp_path))
    assert torch.equal(shipped["one.weight"], shipped["other.weight"])


def test_whole_numbers_keep_their_type(tmp_path: Path):
    network = nn.Module()
    network.register_buffer("table", torch.arange(70_000))
    assert torch.equal(load_file(ship(HalvesRecipe(), network, tmp_path))["table"], torch.arange(70_000))


def test_weights_that_cannot_be_written_leave_those_that_were_there(tmp_path: Path):
    recipe = HalvesRecipe()
    path = ship(recipe, recipe.network(), tmp_path)
    before = path.read_bytes()
    with files_limited_to(1000), pytest.raises(Exception, match=r"(?i)too large"):
        ship(recipe, recipe.network(), tmp_path)
    assert path.read_bytes() == before
