"""A process loads a network once, sees that a file was replaced, and gives up what it need not keep."""

import gc
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from models.weights.contents import checksum
from pipeline.contract.errors import WeightsReplaced
from pipeline.stages.networks import LoadedNetworks
from tests.pipeline.module_calls import built_modules


def write(path: Path, value: float) -> None:
    save_file({"weight": torch.full((1, 1), value), "bias": torch.zeros(1)}, path)


def linear(path: Path, scale: float = 1.0) -> nn.Linear:
    network = nn.Linear(1, 1)
    network.load_state_dict({name: scale * tensor for name, tensor in load_file(path).items()})
    return network


def other(path: Path) -> nn.Linear:
    return linear(path)


def files(path: Path) -> Mapping[str, str]:
    return {path.name: checksum(path)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "own.safetensors", 1.0)
    return tmp_path / "own.safetensors"


def test_a_network_is_loaded_once_and_again_where_its_file_or_settings_are_others(path: Path):
    networks, now = LoadedNetworks(), partial(files, path)
    first = networks.get(linear, path, now=now)
    with built_modules() as built:
        assert networks.get(linear, path, now=now, noted=files(path)) is first
    assert built == []
    write(path, 2.0)
    assert networks.get(linear, path, now=now).weight.item() == 2
    assert networks.get(linear, path, 3.0, now=now).weight.item() == 6
    assert networks.get(linear, path, now=now) is not first, "the older one went"


def test_the_older_network_goes_before_the_newer_one_comes(path: Path):
    networks, alive, loaded = LoadedNetworks(), [], []

    def load(scale: float) -> nn.Linear:
        gc.collect()
        alive.append([network() for network in loaded])
        network = linear(path, scale)
        loaded.append(weakref.ref(network))
        return network

    for scale in (1.0, 2.0, 3.0):
        networks.get(load, scale, now=partial(files, path))
    assert alive == [[], [None], [None, None]]


def test_a_file_that_is_replaced_while_it_is_read_is_told_and_nothing_kept(path: Path):
    networks, before = LoadedNetworks(), files(path)

    def load() -> nn.Linear:
        write(path, 5.0)
        return linear(path)

    with pytest.raises(WeightsReplaced, match=r"own\.safetensors was replaced while it was read"):
        networks.get(load, now=partial(files, path))
    with pytest.raises(WeightsReplaced):
        networks.get(linear, path, now=partial(files, path), noted=before)
    assert networks.get(linear, path, now=partial(files, path)).weight.item() == 5


def test_where_all_take_too_much_memory_those_go_that_were_asked_for_longest_ago(path: Path):
    now = partial(files, path)
    networks, crowded = LoadedNetworks(), LoadedNetworks(share=1e-12)
    for kept, again in ((networks, 0), (crowded, 2)):
        first = kept.get(linear, path, now=now)
        assert kept.get(linear, path, now=now) is first, "the one that was asked for last is kept in any case"
        kept.get(other, path, now=now)
        with built_modules() as built:
            kept.get(linear, path, now=now)
        assert len(built) == again  # weight and bias


def test_a_network_without_parameters_takes_no_room_from_others(path: Path):
    networks, now = LoadedNetworks(), partial(files, path)
    identity = networks.get(nn.Identity, now=now)
    assert networks.get(linear, path, now=now).weight.item() == 1
    assert networks.get(nn.Identity, now=now) is identity
