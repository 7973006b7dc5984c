"""Recipe indoor: what is indoors and what is not, and a loss that sees both."""

import pytest
import torch
from torch import nn

from tests.training.small.tiny_recipes import INDOOR, gradients_missing, seeded
from training.small.indoor import IndoorSamples


class Constant(nn.Module):
    """A network that always gives the same log-odds."""

    def __init__(self, odds: float) -> None:
        super().__init__()
        self.odds = nn.Parameter(torch.tensor(odds))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.odds.expand(len(pictures))


def test_a_chunk_holds_rooms_gardens_and_title_cards(frames: IndoorSamples):
    assert frames.pictures.shape == (9, 3, 72, 96)
    assert frames.pictures.dtype == torch.uint8
    assert frames.indoor.tolist() == [1.0] * 4 + [0.0] * 5
    assert frames.pictures.float().std(dim=(1, 2, 3)).min() > 3, "no picture of one colour"


def test_the_loss_reaches_every_weight(frames: IndoorSamples):
    network = INDOOR.network()
    assert not gradients_missing(network, INDOOR.loss(network, frames, seeded()))


def test_the_loss_of_a_network_that_cannot_decide_is_one_bit(frames: IndoorSamples):
    loss = float(INDOOR.loss(Constant(0.0), frames, seeded()).detach())
    assert loss == pytest.approx(0.6931, abs=1e-4)


def test_scores_are_the_share_that_is_right_and_the_mean_cross_entropy(frames: IndoorSamples):
    with torch.no_grad():
        scores = INDOOR.scores(Constant(2.0), frames)
    assert scores["accuracy"] == pytest.approx(4 / 9)
    right, wrong = 0.1269, 2.1269
    assert scores["cross-entropy"] == pytest.approx((4 * right + 5 * wrong) / 9, abs=1e-3)
    assert next(iter(scores)) == "accuracy", "the figure that matters comes first"


def test_changes_to_pictures_are_drawn_by_the_generator_alone(frames: IndoorSamples):
    network = INDOOR.network().eval()
    losses = [float(INDOOR.loss(network, frames, torch.Generator().manual_seed(seed)).detach()) for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
