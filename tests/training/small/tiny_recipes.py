"""The four recipes, as small as they go."""

import torch
from torch import nn

from models.moge.small import SmallMogeConfig
from pipeline.tours.variety import HouseSettings
from tests.models.tiny_dust3r import STEMMED
from training.small.dust3r import Dust3rRecipe
from training.small.indoor import IndoorRecipe
from training.small.moge import MogeRecipe
from training.small.san import SanRecipe
from training.small.settings import (
    Dust3rTrainingSettings,
    IndoorTrainingSettings,
    MogeTrainingSettings,
    SanNetworkSettings,
    SanTrainingSettings,
    VarietySettings,
    ViewpointSettings,
)

HOW = {"loop": {"steps": 2, "batch_size": 2, "learning_rate": 1e-3}, "chunks": {"steps": 1, "kept": 1}}


VIEWS = ViewpointSettings(width=64, height=48)


NETWORK = SanNetworkSettings(stem=(4, 8, 8, 16), tower_layers=1, recognition_layers=1, side_width=16, side_layers=1)


INDOOR = IndoorRecipe(IndoorTrainingSettings(**HOW, houses_a_chunk=1, views_a_house=4, texel=0.1))


SAN = SanRecipe(
    SanTrainingSettings(
        **HOW, network=NETWORK, height=40, width=56, houses_a_chunk=1, views_a_house=6, texel=0.1, viewpoints=VIEWS
    )
)


MOGE = MogeRecipe(
    MogeTrainingSettings(
        **HOW,
        network=SmallMogeConfig(short_side=48, widths=(8, 8, 8, 8, 4)),
        houses_a_chunk=1,
        views_a_house=4,
        texel=0.1,
        viewpoints=VIEWS,
        variety=VarietySettings(houses=HouseSettings(heights=True, recesses=0.5, bare_rooms=0.5)),
    )
)


DUST3R = Dust3rRecipe(Dust3rTrainingSettings(**HOW, network=STEMMED, houses_a_chunk=1, walks_a_house=3, texel=0.1))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def gradients_missing(network: nn.Module, loss: torch.Tensor) -> list[str]:
    loss.backward()
    return [name for name, value in network.named_parameters() if value.grad is None or not value.grad.isfinite().all()]
