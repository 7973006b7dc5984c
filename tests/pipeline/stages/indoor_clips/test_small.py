"""The small indoor filter: how frames become one score, and whose weights they were."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.indoor.small import IndoorNet
from pipeline.contract.arrays import Images
from pipeline.contract.errors import SettingsError
from pipeline.stages.indoor_clips.settings import SmallIndoorSettings
from pipeline.stages.indoor_clips.small import SmallIndoorFilter


@pytest.fixture(scope="module")
def rgb() -> Images:
    """Five frames of which every one looks different."""
    coarse = np.random.default_rng(0).integers(0, 256, (5, 12, 16, 3), np.uint8)
    return coarse.repeat(6, axis=1).repeat(6, axis=2)


@pytest.fixture(scope="module")
def shipped() -> SmallIndoorFilter:
    return SmallIndoorFilter(SmallIndoorSettings())


def test_a_clips_score_is_the_mean_of_its_frames(shipped: SmallIndoorFilter, rgb: Images):
    single = [shipped.score(frame[None]).indoor for frame in rgb]
    whole = shipped.score(rgb)
    # A batch of five sums in another order than five batches of one.
    assert whole.indoor == pytest.approx(np.mean(single), abs=1e-5)
    assert whole.evidence == pytest.approx({"lowest frame": min(single), "highest frame": max(single)}, abs=1e-5)


def test_frames_are_taken_evenly_from_the_whole_clip(shipped: SmallIndoorFilter, rgb: Images):
    ends = SmallIndoorFilter(SmallIndoorSettings(frames=2)).score(rgb).indoor
    assert ends == pytest.approx((shipped.score(rgb[:1]).indoor + shipped.score(rgb[-1:]).indoor) / 2, abs=1e-5)
    first = SmallIndoorFilter(SmallIndoorSettings(frames=1)).score(rgb).indoor
    assert first == pytest.approx(shipped.score(rgb[:1]).indoor, abs=1e-5)


def test_a_network_that_knows_nothing_says_what_its_last_layer_says(rgb: Images, tmp_path: Path):
    network = IndoorNet()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.fill_(2.0)
    save_file({key: tensor.contiguous() for key, tensor in network.state_dict().items()}, tmp_path / "own.safetensors")
    score = SmallIndoorFilter(SmallIndoorSettings(weights=str(tmp_path / "own.safetensors"))).score(rgb)
    assert score.indoor == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-6)


def test_weights_of_another_network_are_refused(tmp_path: Path, rgb: Images):
    save_file({"conv.weight": nn.Conv2d(3, 4, 3).weight.detach()}, tmp_path / "other.safetensors")
    other = SmallIndoorFilter(SmallIndoorSettings(weights=str(tmp_path / "other.safetensors")))
    with pytest.raises(SettingsError, match="indoor weights"):
        other.score(rgb)
