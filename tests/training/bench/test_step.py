"""The benchmark of a training step: what it measures and of what."""

import json
from pathlib import Path

import pytest
import torch

from training.bench.step import _room, main, measure


def test_a_step_takes_time_and_memory_and_a_small_network_has_no_known_flops():
    cost = measure("tiny", "full", "cpu", 1)
    assert cost.seconds > 0
    assert cost.cpu_seconds > 0
    assert 0.05 < cost.peak_gib < 64
    assert cost.matmul_share is None
    assert (cost.preset, cost.device, cost.precision) == ("tiny", "cpu", "torch.float32")


def test_the_room_it_is_shown_is_one_that_a_network_can_see():
    views, truth = _room("cpu")
    views.check()
    assert (views.depth > 0).all()
    assert float(views.depth.max()) == pytest.approx(4.6, abs=1e-3), "the far wall"
    assert truth.labels.shape == truth.tiles.shape == (1, 129600)
    assert torch.equal(truth.tiles.unique(), torch.arange(-1, 64))


def test_figures_are_written_as_they_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(preset="tiny", device="cpu", output=tmp_path / "made" / "step.json")
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "made" / "step.json").read_text())
