"""What is refused before anything is asked of a Ray cluster; videos on one are in ``tests/cluster``."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from assets.pools import ray
from assets.pools.ray import Head, RayResident, connected, fitting
from pipeline.contract.errors import SettingsError
from pipeline.settings import RaySettings
from tests.assets.workplace import Workplace, free_port
from tests.fresh import run_code

NODE = {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 1.0, "memory": 64 * 2**30}}


def test_ray_is_imported_by_nobody_who_did_not_ask_for_it():
    assert run_code("import sys, assets; print('ray' in sys.modules)").strip() == "False"


@pytest.mark.parametrize(
    ("asked", "workers"),
    [
        (RaySettings(cpus=4, gpus=0.125, memory_gb=8), 4),
        (RaySettings(cpus=4, gpus=0, memory_gb=8), 4 + 2),
        (RaySettings(cpus=1, gpus=0.125, memory_gb=0), 8),
        (RaySettings(cpus=1, gpus=0, memory_gb=16), 4 + 2),
    ],
)
def test_there_are_as_many_workers_as_the_machines_that_live_have_room_for(asked: RaySettings, workers: int):
    small = {"Alive": True, "Resources": {"CPU": 8.0, "memory": 32 * 2**30}}
    assert fitting([NODE, small, NODE | {"Alive": False}], asked) == workers


def test_machines_that_join_are_counted_and_a_head_that_fails_meanwhile_is_asked_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ray, "COUNT_S", 0.01)
    answers, counted = iter([[NODE], None, [NODE, NODE], [NODE]]), threading.Event()

    def nodes() -> list[dict[str, Any]]:
        said = next(answers, ...)
        if said is ...:
            counted.set()
            return []
        if said is None:
            raise ConnectionError("the head does not answer")
        return said

    head = Head("127.0.0.1:1", RaySettings(cpus=4, memory_gb=0), nodes)
    assert head.workers() == 4
    assert counted.wait(60)
    assert head.workers() == 8, "of one that leaves, the workers wait for room"
    assert not head.leave()


def test_a_cluster_without_what_a_worker_asks_is_refused_in_a_line():
    with pytest.raises(SettingsError, match=r"none of 1 machines .* 4 CPUs, 2 of a graphics card and 8 GiB") as refused:
        fitting([NODE], RaySettings(gpus=2))
    assert "\n" not in str(refused.value)


def test_a_cluster_that_cannot_be_reached_is_told_in_a_line():
    pytest.importorskip("ray")
    address = f"127.0.0.1:{free_port()}"
    refusal = pytest.raises(SettingsError, match=rf"'{address}': no Ray cluster can be reached")
    with refusal as refused, connected(RaySettings(address=address)):
        pass
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_machine_without_the_card_that_it_was_said_to_have_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in Workplace(tmp_path, "tour://1").environment.items():
        monkeypatch.setenv(name, value)
    assert "no graphics card that torch can use" in RayResident(0.5).lacks()
    assert RayResident(0).lacks() == ""
