"""The field's losses of semantic occupancy (MonoScene, Cao and de Charette, CVPR 2022), each the mean over a batch.

Every loss is computed for each grid by itself and then averaged, as with the published batch of one a device, so that
gradients do not depend on how a batch is spread over devices. Voxels labelled 255 take no part. Those labelled 12,
occupied without a name, teach completion alone: any of the eleven classes is a right answer.

Where voxels have weights, every sum and count over voxels is of weights, and a grid's losses count by the mean weight
of its known voxels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

CLASSES = len(OCCUPIED_CLASSES) + 1
EMPTY_WEIGHT = 0.05
"""Weight of empty voxels in the cross-entropy; every class has 1 (MonoScene on NYUv2)."""
TILES = 8
"""Tiles across and down the picture whose frusta the proportion loss compares."""
LEAST = 1e-12


@dataclass(frozen=True)
class Truth:
    """What a batch's grids should be.

    labels: (B, N) int64. tiles: (B, N) int64, -1 for voxels not in view. weights: (B, N) float32; None: all 1.
    """

    labels: Tensor
    tiles: Tensor
    weights: Tensor | None = None

    @classmethod
    def of(cls, labels: Tensor, pixels: Tensor, in_view: Tensor, weights: Tensor | None = None) -> "Truth":
        """Make it of labels and weights (B, 60, 60, 36) and a ``Projection``: pixels (B, N, 2), in_view (B, N)."""
        across = pixels[..., 0].long() * TILES // FRAME_WIDTH
        down = pixels[..., 1].long() * TILES // FRAME_HEIGHT
        tiles = torch.where(in_view, down * TILES + across, -1)
        return cls(labels.flatten(1).long(), tiles, None if weights is None else weights.flatten(1))


def occupancy_losses(logits: Tensor, truth: Truth) -> Mapping[str, Tensor]:
    """Return the four losses of logits (B, 12, 60, 60, 36), by name, each a scalar."""
    weights = torch.ones_like(truth.labels, dtype=torch.float32) if truth.weights is None else truth.weights
    grids = zip(logits.flatten(2).float(), truth.labels, truth.tiles, weights, strict=True)
    rows = [_grid_losses(*grid) for grid in grids]
    return {name: torch.stack([row[name] for row in rows]).mean() for name in rows[0]}


def _grid_losses(logits: Tensor, labels: Tensor, tiles: Tensor, weights: Tensor) -> dict[str, Tensor]:
    known = labels != SemanticClass.UNKNOWN
    if not known.any():
        nothing = logits.sum() * 0
        return dict.fromkeys(("cross_entropy", "semantic_affinity", "geometric_affinity", "proportion"), nothing)
    log_probabilities = logits[:, known].T.log_softmax(dim=-1)
    labels, tiles, weights, probabilities = labels[known], tiles[known], weights[known], log_probabilities.exp()
    named = labels != SemanticClass.UNNAMED
    losses = {
        "cross_entropy": cross_entropy(log_probabilities, labels, weights),
        "semantic_affinity": semantic_affinity(probabilities[named], labels[named], weights[named]),
        "geometric_affinity": geometric_affinity(probabilities, labels, weights),
        "proportion": proportion(probabilities[named], labels[named], tiles[named], weights[named]),
    }
    return {name: weights.mean() * loss for name, loss in losses.items()}


def cross_entropy(log_probabilities: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of log-probabilities (n, C) with labels (n,), empty voxels weighing 0.05.

    weights: (n,), of voxels beside that; all 1 by default, as in the losses below. Of a voxel without a name it is that
    of being occupied, by whatever class.
    """
    empty = torch.where(labels == SemanticClass.EMPTY, EMPTY_WEIGHT, 1.0).to(log_probabilities)
    weight = empty * _of_voxels(weights, log_probabilities)
    named = labels != SemanticClass.UNNAMED
    picked = log_probabilities.gather(1, torch.where(named, labels, 0)[:, None])[:, 0]
    picked = torch.where(named, picked, log_probabilities[:, 1:].logsumexp(dim=1))
    return -(weight * picked).sum() / weight.sum()


def semantic_affinity(probabilities: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the scene-class affinity loss: -log of soft precision, recall and specificity, mean over classes there.

    probabilities: (n, C). labels: (n,), all named. weights: (n,). 0 without any.
    """
    if not len(labels):
        return probabilities.sum()
    weights = _of_voxels(weights, probabilities)
    classes, weighted = probabilities.shape[1], probabilities * weights[:, None]
    right = weighted.gather(1, labels[:, None])[:, 0]
    matched = probabilities.new_zeros(classes).index_add(0, labels, right)
    actual = probabilities.new_zeros(classes).index_add(0, labels, weights)
    claimed, count = weighted.sum(dim=0), actual.sum()
    numbers = torch.bincount(labels, minlength=classes)
    terms = _minus_log(matched / claimed.clamp(min=LEAST)) + _minus_log(matched / actual.clamp(min=LEAST))
    others = (count - actual).clamp(min=LEAST)
    specific = torch.where(numbers < len(labels), _minus_log((count - claimed - actual + matched) / others), 0)
    return (terms + specific)[numbers > 0].mean()


def geometric_affinity(probabilities: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the same for occupied against empty; probabilities (n, C), labels (n,), weights (n,)."""
    weights = _of_voxels(weights, probabilities)
    is_occupied = labels != SemanticClass.EMPTY
    occupied, free = weights * is_occupied, weights * ~is_occupied
    filled = 1 - probabilities[:, 0]
    matched, empty = (filled * occupied).sum(), (probabilities[:, 0] * free).sum()
    total = _minus_log(empty / free.sum().clamp(min=LEAST)) * (~is_occupied).any()
    claimed, actual = (weights * filled).sum(), occupied.sum()
    found = _minus_log(matched / claimed.clamp(min=LEAST)) + _minus_log(matched / actual.clamp(min=LEAST))
    return total + found * is_occupied.any()


def proportion(probabilities: Tensor, labels: Tensor, tiles: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the frustum proportion loss: KL from predicted to true shares of the classes in each tile's frustum.

    probabilities: (n, C). labels, weights: (n,). tiles: (n,), -1 for voxels not in view. Mean over the tiles with known
    voxels.
    """
    shown = tiles >= 0
    if not shown.any():
        return probabilities.sum() * 0
    weights = _of_voxels(weights, probabilities)[shown]
    probabilities, labels, tiles = probabilities[shown], labels[shown], tiles[shown]
    classes = probabilities.shape[1]
    predicted = probabilities.new_zeros(TILES * TILES, classes).index_add(0, tiles, probabilities * weights[:, None])
    true = predicted.new_zeros(predicted.numel()).index_add(0, tiles * classes + labels, weights).view_as(predicted)
    filled = true.sum(dim=1) > 0
    true, predicted = true[filled], predicted[filled]
    share, guess = (amounts / amounts.sum(dim=1, keepdim=True) for amounts in (true, predicted))
    terms = torch.where(true > 0, share * (share.clamp(min=LEAST).log() - guess.clamp(min=LEAST).log()), 0)
    return terms.sum(dim=1).mean()


def _of_voxels(weights: Tensor | None, like: Tensor) -> Tensor:
    return like.new_ones(len(like)) if weights is None else weights.to(like)


def _minus_log(share: Tensor) -> Tensor:
    return -share.clamp(min=LEAST).log()
