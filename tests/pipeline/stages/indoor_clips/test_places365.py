from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.indoor.places365 import Places365, scene_categories
from pipeline.stages.indoor_clips.places365 import Places365Filter
from pipeline.stages.indoor_clips.settings import Places365Settings

_KITCHEN, _BEDROOM, _MOUNTAIN = (
    next(i for i, category in enumerate(scene_categories()) if category.name == name)
    for name in ("kitchen", "bedroom", "mountain")
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet-18 that sees a kitchen in what is red, a mountain in what is blue, and nothing else."""
    network = Places365(18)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    with torch.no_grad():
        network.conv1.weight[0, 0, 3, 3] = network.conv1.weight[1, 2, 3, 3] = 1
        for stage in (network.layer2, network.layer3, network.layer4):
            stage[0].downsample[0].weight[(0, 1), (0, 1)] = 1
        network.fc.weight[(_KITCHEN, _MOUNTAIN), (0, 1)] = 10
        network.fc.bias[_BEDROOM] = 3
    path = tmp_path_factory.mktemp("weights") / "toy.pth"
    torch.save(network.state_dict(), path)
    return path


def test_indoor_frames_score_high_and_outdoor_frames_low(checkpoint: Path):
    indoors = Places365Filter(Places365Settings(weights=str(checkpoint)))
    kitchen, mountain = indoors.score(_frames("red", 3)), indoors.score(_frames("blue", 3))
    assert kitchen.indoor > 0.95
    assert mountain.indoor < 0.05
    assert kitchen.categories[0].name == "kitchen"
    assert mountain.categories[0].name == "mountain"


def test_a_mixed_clip_scores_between(checkpoint: Path):
    frames = np.concatenate([_frames("red", 2), _frames("blue", 2)])
    score = Places365Filter(Places365Settings(weights=str(checkpoint), frames=4)).score(frames)
    # Two frames of four are surely indoors, two surely outdoors.
    assert score.indoor == pytest.approx(0.5, abs=0.03)


def test_the_most_probable_categories_are_kept_best_first(checkpoint: Path):
    settings = Places365Settings(weights=str(checkpoint), categories_kept=2)
    kept = Places365Filter(settings).score(_frames("red", 1)).categories
    assert [category.name for category in kept] == ["kitchen", "bedroom"]
    assert kept[0].probability > kept[1].probability


def test_frames_are_taken_from_the_whole_clip(checkpoint: Path):
    frames = np.concatenate([_frames("red", 1), _frames("blue", 9)])
    with_first = Places365Filter(Places365Settings(weights=str(checkpoint), frames=2)).score(frames)
    assert with_first.indoor == pytest.approx(0.5, abs=0.03)


def _frames(colour: str, count: int) -> np.ndarray:
    frames = np.zeros((count, 48, 64, 3), np.uint8)
    frames[..., {"red": 0, "blue": 2}[colour]] = 255
    return frames
