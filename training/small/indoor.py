"""Recipe ``indoor``: pictures from inside houses against gardens, house fronts and title cards."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.indoor.small import HEIGHT, WIDTH, IndoorNet, shrink
from pipeline.tours.seeds import HELD_OUT_SEEDS
from pipeline.tours.tour import TITLES
from pipeline.tours.views.shots import title_view, tour_shots
from training.small.augment import change_pictures, mirror
from training.small.houses import varied_house
from training.small.samples import Samples
from training.small.settings import IndoorTrainingSettings
from training.small.viewpoints import cameras_at, garden_poses, renderer_of, room_poses


@dataclass(frozen=True)
class IndoorSamples(Samples):
    """pictures: (n, 3, 72, 96) uint8 RGB; indoor: (n,) float32, 1 or 0."""

    pictures: Tensor
    indoor: Tensor


class IndoorRecipe:
    """Log-odds of indoors, by cross-entropy."""

    name = "indoor"

    def __init__(self, settings: IndoorTrainingSettings) -> None:
        self.settings = settings

    def network(self) -> nn.Module:
        """Return a fresh network."""
        return IndoorNet()

    def network_config(self) -> str:
        """Return JSON with no sizes: this network has only one."""
        return "{}"

    def chunk(self, index: int) -> IndoorSamples:
        """Return views of a few houses from inside and outside, and title cards."""
        settings = self.settings
        parts = []
        for number in range(settings.houses_a_chunk):
            rng = np.random.default_rng((settings.loop.seed, index, number))
            house = varied_house(rng, settings.variety, settings.texel, garden=True)
            renderer, count = renderer_of(house, settings.loop), settings.views_a_house
            for poses, indoor in ((room_poses, True), (garden_poses, False)):
                cameras = cameras_at(rng, poses(rng, house, count, settings.viewpoints), settings.viewpoints)
                parts.append(_samples(renderer.render(cameras).pictures.cpu(), indoor=indoor))
            parts.append(_samples(_titles(rng, count // 4), indoor=False))
        return IndoorSamples.concatenate(parts)

    def held_out(self) -> IndoorSamples:
        """Return frames of the held-out tours, and their title cards."""
        return frames_of_tours(tuple(HELD_OUT_SEEDS), frames=8)

    def loss(self, network: nn.Module, samples: IndoorSamples, generator: torch.Generator) -> Tensor:
        """Cross-entropy on changed and mirrored pictures."""
        mirrored = torch.rand(len(samples), generator=generator, device=samples.pictures.device) < 0.5
        pictures = change_pictures(mirror(samples.pictures, mirrored).float(), self.settings.augment, generator)
        return functional.binary_cross_entropy_with_logits(network(pictures), samples.indoor)

    def scores(self, network: nn.Module, held_out: IndoorSamples) -> dict[str, float]:
        """Accuracy of single frames, and the mean cross-entropy."""
        logits = network(held_out.pictures)
        right = (logits > 0) == (held_out.indoor > 0.5)
        entropy = functional.binary_cross_entropy_with_logits(logits, held_out.indoor)
        return {"accuracy": float(right.float().mean()), "cross-entropy": float(entropy)}


def frames_of_tours(seeds: tuple[int, ...], frames: int) -> IndoorSamples:
    """Return frames of every shot of tours, title cards included, at the size of the network."""
    parts = []
    for seed in seeds:
        shots = tour_shots(seed, frames, 2 * HEIGHT, 2 * WIDTH, garden=True)
        parts += [_samples(shot.views.pictures, indoor=shot.indoor) for shot in shots]
        rng = np.random.default_rng((seed, 1))
        parts.append(_samples(_titles(rng, 1), indoor=False))
    return IndoorSamples.concatenate(parts)


def _titles(rng: np.random.Generator, count: int) -> Tensor:
    return torch.stack([title_view(rng, str(rng.choice(TITLES))) for _ in range(count)])


def _samples(pictures: Tensor, *, indoor: bool) -> IndoorSamples:
    small = shrink(pictures).round().clamp(0, 255).to(torch.uint8)
    return IndoorSamples(small, torch.full((len(pictures),), float(indoor)))
