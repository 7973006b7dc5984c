"""The loop gives what the two loops before it gave: the figures are those of their code.

They were equal to the last bit on the machine that took them. Another processor adds in another order; over so few
steps that is noise of less than a thousandth of a loss.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from pipeline.contract.progress import silent
from tests.training.small.tiny_recipe import halves
from tests.training.tiny_runs import quick
from training.batches import EpochBatches
from training.loop import Trained, Training, fabric_for, train
from training.small.recipe import training_of


class Rows(NamedTuple):
    values: Tensor
    sums: Tensor
    names: tuple[str, ...]


class Sum(nn.Module):
    """Learns to add six numbers, with an image encoder in name, a batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        backbone = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU())
        encoder = nn.ModuleDict({"backbone": backbone})
        head = nn.Sequential(nn.Dropout(0.3), nn.Linear(16, 1))
        self.network = nn.ModuleDict({"encoder": encoder, "head": head})

    def forward(self, rows: Rows) -> dict[str, Tensor]:
        features: Any = self.network["encoder"]["backbone"](rows.values)
        square = ((self.network["head"](features)[:, 0] - rows.sums) ** 2).mean()
        return {"square": square, "total": 3 * square}


def stacked(rows: Sequence[Tensor]) -> Rows:
    values = torch.stack(list(rows))
    return Rows(values, torch.stack([row.sum() for row in rows]), tuple("row" for _ in rows))


def run(training: Training, loop: Any, folder: Path) -> Trained:
    return train(training, loop, folder, fabric_for(loop, folder), silent)


@pytest.mark.parametrize(
    ("values", "losses", "norms"),
    [
        (
            {"epochs": 3, "batch_size": 4, "clip_norm": 0.5, "weight_decay": 0.1},
            [4.8999577, 6.5697708, 5.3035846, 14.3116055, 7.0936112, 1.9803655, 1.2346063, 6.8390632, 10.8564787],
            {"encoder.backbone.0.weight": 2.1699983, "head.1.weight": 0.6650346, "head.1.bias": 0.1366280},
        ),
        (
            {"steps": 9, "batch_size": 2, "accumulate": 3, "seed": 3, "encoder_rate": 0.37, "decay_at": 0.5},
            [4.0786581, 2.5541792, 18.0773182, 5.2336426, 3.1945448, 8.9235153, 5.2752743, 12.1598454, 3.6668811],
            {"encoder.backbone.0.weight": 2.1723474, "head.1.weight": 0.6626276, "head.1.bias": 0.1441587},
        ),
    ],
    ids=["clipped", "accumulated"],
)
def test_occupancy_networks_are_optimised_as_before(
    tmp_path: Path, values: dict[str, Any], losses: list[float], norms: dict[str, float]
):
    samples = list(torch.randn(23, 6, generator=torch.Generator().manual_seed(5)))
    torch.manual_seed(1)
    trained = run(Training(Sum(), EpochBatches(samples, stacked), {}), quick(**values), tmp_path)
    assert [loss for _, loss in trained.curves.points["square"]][:9] == pytest.approx(losses, rel=1e-3)
    weights = trained.task.network.state_dict()
    assert {name: float(weights[name].norm()) for name in norms} == pytest.approx(norms, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "losses", "norms"),
    [
        (
            {},
            [0.0455415, 0.0079384, 0.0050845],
            {"0.weight": 1.2885913, "1.running_var": 0.4698349, "4.weight": 1.3095521, "4.bias": 0.0355961},
        ),
        (
            {"seed": 11, "ema_decay": 0.0, "weight_decay": 0.2, "clip_norm": 0.05},
            [0.0265924, 0.0012020, 0.0004683],
            {"0.weight": 1.2682137, "1.running_var": 0.5316971, "4.weight": 1.3784473, "4.bias": 0.0158866},
        ),
    ],
    ids=["averaged", "last"],
)
def test_recipes_are_optimised_as_before(
    tmp_path: Path, values: dict[str, Any], losses: list[float], norms: dict[str, float]
):
    recipe = halves(log_every=8, **values)
    trained = run(training_of(recipe), recipe.settings.loop, tmp_path)
    assert [loss for _, loss in trained.curves.points["total"]] == pytest.approx(losses, rel=1e-2)
    weights = trained.task.network.state_dict()
    assert {name: float(weights[name].norm()) for name in norms} == pytest.approx(norms, rel=1e-3)
