"""Networks and rivals on the frames of a dataset: who is scored, in which order, and who cannot be."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.symphonies import Symphonies
from tests.training.rooms import RoomFrames
from training.checkpoints import new_network
from training.data import Sample
from training.errors import UnusableDataset, WrongCheckpoint
from training.scores.evaluate import classifier, evaluate, predict, score


@pytest.fixture
def network() -> Symphonies:
    torch.manual_seed(0)
    return new_network("tiny", 12)


def truth(sample: Sample) -> np.ndarray:
    return np.where(sample.labels == 255, 0, sample.labels).astype(np.uint8)


def nothing(sample: Sample) -> np.ndarray:
    return np.zeros_like(sample.labels)


def test_a_prediction_is_a_grid_of_classes_and_leaves_the_network_in_evaluation_mode(network: Symphonies):
    grid = predict(network.train(), RoomFrames(1)[0])
    assert (grid.shape, grid.dtype) == ((60, 60, 36), np.uint8)
    assert grid.max() < 12
    assert not network.training


def test_a_prediction_knows_nothing_of_the_labels(network: Symphonies):
    sample = RoomFrames(1)[0]
    blind = replace(sample, labels=np.full_like(sample.labels, 255))
    assert np.array_equal(predict(network, sample), predict(network, blind))


def test_the_class_with_the_highest_score_is_predicted(network: Symphonies):
    torch.nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.arange(12.0).roll(4)
    assert set(np.unique(predict(network, RoomFrames(1)[0])).tolist()) == {3}


def test_the_truth_scores_one_and_rivals_stand_beside_it():
    steps: list[tuple[int, int]] = []
    evaluation = score({"truth": truth, "nothing": nothing}, RoomFrames(2), lambda _, *step: steps.append(step))
    figures = evaluation.summary()
    assert figures["iou all"] == 1
    assert figures["iou nothing"] == figures["miou nothing"] == 0
    assert steps == [(1, 2), (2, 2)]
    assert evaluation.markdown().splitlines()[2].startswith("| truth | all | 1.0000 |")


def test_a_network_that_was_only_pre_trained_is_not_scored():
    with pytest.raises(WrongCheckpoint, match="head has 7 outputs, not 12 classes: fine-tune it first"):
        classifier(new_network("tiny", 7))


def test_an_evaluation_on_nothing_is_refused(network: Symphonies):
    with pytest.raises(UnusableDataset, match="has no frames"):
        evaluate(network, RoomFrames(0), "network")
