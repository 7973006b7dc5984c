"""A recipe small enough to be trained in a test: which half of a striped picture is brighter."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.small.samples import Samples
from training.small.settings import RecipeSettings

SETTINGS = RecipeSettings.model_validate(
    {
        "loop": {
            "steps": 24,
            "batch_size": 8,
            "learning_rate": 0.01,
            "warm_up": 2,
            "score_every": 8,
            "checkpoint_every": 4,
            "log_every": 4,
            "workers": 0,
        },
        "chunks": {"steps": 5, "kept": 2},
    }
)


def halves(**loop: Any) -> "HalvesRecipe":
    """The recipe with some settings of its loop changed."""
    return HalvesRecipe(SETTINGS.model_copy(update={"loop": SETTINGS.loop.model_copy(update=loop)}))


@dataclass(frozen=True)
class Halves(Samples):
    pictures: Tensor
    left: Tensor


@dataclass(frozen=True)
class HalvesRecipe:
    settings: RecipeSettings = SETTINGS
    name: str = "halves"

    def network(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 1)
        )

    def network_config(self) -> str:
        return "{}"

    def chunk(self, index: int) -> Halves:
        generator = torch.Generator().manual_seed(index)
        pictures = torch.rand(16, 3, 8, 8, generator=generator)
        left = torch.rand(16, generator=generator) < 0.5
        pictures[left, :, :, :4] += 0.5
        pictures[~left, :, :, 4:] += 0.5
        return Halves(pictures, left.float())

    def held_out(self) -> Halves:
        return self.chunk(1_000_000)

    def loss(self, network: nn.Module, samples: Halves, generator: torch.Generator) -> Tensor:
        noise = 0.1 * torch.randn(samples.pictures.shape, generator=generator)
        return functional.binary_cross_entropy_with_logits(network(samples.pictures + noise)[:, 0], samples.left)

    def scores(self, network: nn.Module, held_out: Halves) -> dict[str, float]:
        right = (network(held_out.pictures)[:, 0] > 0) == (held_out.left > 0.5)
        return {"accuracy": float(right.float().mean())}
