"""Recipe ``san``: masks and labels of the eleven classes, with the tower trained along and a table for words."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.san.proposals import SanOutput
from models.san.small import SmallSan, SmallSanConfig
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.overlap import overlap
from pipeline.contract.vocabulary import default_vocabulary
from pipeline.tours.seeds import HELD_OUT_SEEDS
from pipeline.tours.views.shots import tour_shots
from training.small.augment import change_pictures, crop, mirror
from training.small.houses import varied_house
from training.small.samples import Samples
from training.small.settings import SanTrainingSettings
from training.small.viewpoints import cameras_at, renderer_of, room_poses

CLASSES = len(OCCUPIED_CLASSES)
IGNORED = int(SemanticClass.UNKNOWN)


@dataclass(frozen=True)
class SanSamples(Samples):
    """pictures: (n, 3, h, w) uint8 RGB; labels: (n, h, w) uint8, 255 = nothing to learn."""

    pictures: Tensor
    labels: Tensor


class SanRecipe:
    """One query a class, matched by class (fixed matching, Cheng et al. 2021)."""

    name = "san"

    def __init__(self, settings: SanTrainingSettings) -> None:
        self.settings = settings

    def network(self) -> nn.Module:
        """Return a fresh network."""
        return SmallSan(self._config)

    def network_config(self) -> str:
        """Return the network's sizes and words as JSON."""
        return self._config.model_dump_json()

    @property
    def _config(self) -> SmallSanConfig:
        vocabulary = default_vocabulary()
        words = np.array(vocabulary.words, object)
        groups = tuple(tuple(words[vocabulary.groups == group]) for group in np.unique(vocabulary.groups))
        return SmallSanConfig(
            words=groups, queries=CLASSES, short_side=self.settings.height, **self.settings.network.model_dump()
        )

    def chunk(self, index: int) -> SanSamples:
        """Return views of the rooms of a few houses."""
        settings, parts = self.settings, []
        for number in range(settings.houses_a_chunk):
            rng = np.random.default_rng((settings.loop.seed, index, number))
            house = varied_house(rng, settings.variety, settings.texel, garden=False)
            poses = room_poses(rng, house, settings.views_a_house, settings.viewpoints)
            views = renderer_of(house, settings.loop).render(cameras_at(rng, poses, settings.viewpoints))
            parts.append(SanSamples(views.pictures.cpu(), views.labels.cpu()))
        return SanSamples.concatenate(parts)

    def held_out(self) -> SanSamples:
        """Return frames of the held-out tours' rooms."""
        return rooms_of_tours(tuple(HELD_OUT_SEEDS), 6, self.settings.height, self.settings.width)

    def loss(self, network: nn.Module, samples: SanSamples, generator: torch.Generator) -> Tensor:
        """Losses of SAN's training (classes, masks, their overlap), and of the masks against one another."""
        pictures, labels = self._changed(samples, generator)
        output: SanOutput = network(pictures, _table_text(network))
        truth = functional.interpolate(labels[:, None].float(), scale_factor=0.5, mode="nearest")[:, 0].long()
        masks = _at_size(output, (truth.shape[1], truth.shape[2]))
        known = truth != IGNORED
        one_hot = functional.one_hot(torch.where(known, truth - 1, 0), CLASSES).movedim(-1, 1) * known[:, None]
        present = one_hot.flatten(2).any(dim=2)
        weight = torch.where(present, 1.0, self.settings.absent_weight)
        settings = self.settings
        return (
            settings.pixel_weight * _pixel_loss(masks, truth)
            + settings.binary_weight * _binary_loss(masks, one_hot.float(), known)
            + settings.dice_weight * _dice_loss(masks, one_hot.float(), known, present)
            + settings.class_weight * _class_loss(output.class_logits, present, weight)
        )

    def scores(self, network: nn.Module, held_out: SanSamples) -> dict[str, float]:
        """Mean IoU over the classes, and the share of pixels that are right."""
        return label_scores(network, held_out)

    def _changed(self, samples: SanSamples, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return cropped, mirrored and coloured pictures (n, 3, h, w) float32 with their labels (n, h, w) int64."""
        settings, count, device = self.settings, len(samples), samples.pictures.device
        corner = torch.rand(count, 2, generator=generator, device=device)
        share = settings.crop_min + (1 - settings.crop_min) * torch.rand(count, generator=generator, device=device)
        size = (settings.height, settings.width)
        mirrored = torch.rand(count, generator=generator, device=device) < 0.5
        pictures = mirror(crop(samples.pictures.float(), corner, share, size, "bilinear"), mirrored)
        labels = mirror(crop(samples.labels[:, None].float(), corner, share, size, "nearest"), mirrored)
        return change_pictures(pictures, settings.augment, generator), labels[:, 0].long()


def rooms_of_tours(seeds: tuple[int, ...], frames: int, height: int, width: int) -> SanSamples:
    """Return frames of every indoor shot of tours, rendered at twice the size and halved, as video is."""
    shots = [shot.views for seed in seeds for shot in tour_shots(seed, frames, 2 * height, 2 * width, garden=False)]
    pictures = functional.avg_pool2d(torch.cat([shot.pictures for shot in shots]).float(), 2).round()
    return SanSamples(pictures.to(torch.uint8), torch.cat([shot.labels for shot in shots])[:, ::2, ::2])


def label_scores(network: nn.Module, samples: SanSamples) -> dict[str, float]:
    """Compare labels with the truth: mean IoU over the classes, and the share of pixels that are right."""
    labels = np.concatenate(
        [predicted_labels(network, samples.rows(slice(i, i + 8))) for i in range(0, len(samples), 8)]
    )
    truth = samples.labels.numpy()
    known = truth != IGNORED
    return {"mIoU": overlap(labels, truth).miou, "pixels right": float((labels == truth)[known].mean())}


def predicted_labels(network: nn.Module, samples: SanSamples) -> NDArray[np.uint8]:
    """Return the labels (n, h, w) uint8 that score highest."""
    output: SanOutput = network(samples.pictures, _table_text(network))
    scores = output.semantic_map(samples.labels.shape[1], samples.labels.shape[2])
    labels: NDArray[np.uint8] = (scores[:, :CLASSES].argmax(dim=1) + 1).to(torch.uint8).cpu().numpy()
    return labels


def _table_text(network: nn.Module) -> Tensor:
    """Embeddings of one word of every group: what the losses compare regions with."""
    return network.text([group[0] for group in network.config.words])  # type: ignore[operator,union-attr,no-any-return]


def _at_size(output: SanOutput, size: tuple[int, int]) -> Tensor:
    """Resize mask logits of the padded batch to the pictures at half their size."""
    padded = (output.padded_size[0] // 2, output.padded_size[1] // 2)
    grown = functional.interpolate(output.mask_logits, padded, mode="bilinear", align_corners=False)
    return grown[:, :, : size[0], : size[1]]


def _pixel_loss(masks: Tensor, truth: Tensor) -> Tensor:
    target = torch.where(truth == IGNORED, -1, truth - 1)
    losses = functional.cross_entropy(masks, target, ignore_index=-1, reduction="sum")
    return losses / (target >= 0).sum().clamp(min=1)


def _binary_loss(masks: Tensor, one_hot: Tensor, known: Tensor) -> Tensor:
    losses = functional.binary_cross_entropy_with_logits(masks, one_hot, reduction="none").sum(dim=1)
    return (losses * known).sum() / known.sum().clamp(min=1)


def _dice_loss(masks: Tensor, one_hot: Tensor, known: Tensor, present: Tensor) -> Tensor:
    covered = masks.sigmoid() * known[:, None]
    both = (covered * one_hot).flatten(2).sum(dim=2)
    total = covered.flatten(2).sum(dim=2) + one_hot.flatten(2).sum(dim=2)
    dice = 1 - (2 * both + 1) / (total + 1)
    return (dice * present).sum() / present.sum().clamp(min=1)


def _class_loss(logits: Tensor, present: Tensor, weight: Tensor) -> Tensor:
    own = torch.arange(CLASSES, device=logits.device)
    target = torch.where(present, own, logits.shape[-1] - 1)
    losses = functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
    return (losses * weight.flatten()).sum() / weight.sum()
