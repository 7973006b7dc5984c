"""Learning what is occupied and what it says, from the dataset alone (POP-3D): one loss for each head.

The grids say which voxels are occupied. What a voxel says is taught where the picture shows it: the target is the mean
embedding of the regions whose pixels fall into the voxel.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.symphonies import Symphonies
from models.symphonies.language import LanguageHead
from models.symphonies.views import in_full_precision
from pipeline.contract.classes import SemanticClass
from training.language.embeddings import SpokenBatch
from training.settings import Balance, LanguageSettings
from training.tasks.lovasz import lovasz_softmax
from training.tasks.regions import pixel_voxels
from training.tasks.supervise import views_of

OCCUPANCY_OUTPUTS = 2
"""Free and occupied."""


class LanguageTask(nn.Module):
    """A network with both heads, and its losses."""

    def __init__(self, network: Symphonies, settings: LanguageSettings) -> None:
        super().__init__()
        self.network, self.settings = network, settings

    def forward(self, spoken: SpokenBatch) -> Mapping[str, Tensor]:
        """Return the losses of the last layer by name, and under ``total`` what is to be minimised."""
        *earlier, last = self.network.features(views_of(spoken.batch))
        losses = self._losses(last, spoken)
        total = self._weighted(losses)
        for grids in earlier:
            total = total + self.settings.earlier_layers * self._weighted(self._losses(grids, spoken))
        return {**losses, "total": total}

    def _losses(self, grids: Tensor, spoken: SpokenBatch) -> Mapping[str, Tensor]:
        """Return the three losses of features (B, D, 60, 60, 36), each the mean over the batch."""
        logits = self.network.head(grids).float().flatten(2)
        labels = spoken.batch.labels.flatten(1).long()
        rows = [occupancy_losses(*grid) for grid in zip(logits, labels, strict=True)]
        means = {name: torch.stack([row[name] for row in rows]).mean() for name in rows[0]}
        return {**means, "language": self._language(grids.float().flatten(2).mT, spoken)}

    @in_full_precision
    def _language(self, grids: Tensor, spoken: SpokenBatch) -> Tensor:
        """Return the loss of the vectors of features (B, N, D)."""
        voxels = pixel_voxels(views_of(spoken.batch))
        rows = zip(grids, voxels, spoken.batch.regions, spoken.embeddings, strict=True)
        return torch.stack([self._grid_language(*row) for row in rows]).mean()

    def _grid_language(self, grid: Tensor, voxels: Tensor, regions: Tensor, embeddings: Tensor) -> Tensor:
        taught = taught_voxels(voxels, regions, embeddings.float())
        said: Tensor = speaking_head(self.network)(grid[taught.voxels])
        if not len(taught.voxels):
            return said.sum() * 0
        if self.settings.language_loss == "regression":
            distances: Tensor = (said - taught.targets).square().sum(dim=-1)
        else:
            distances = 1 - functional.cosine_similarity(said, taught.targets)
        return distances @ balanced(taught.weights, self.settings.language_balance)

    def _weighted(self, losses: Mapping[str, Tensor]) -> Tensor:
        return losses["cross_entropy"] + losses["lovasz"] + self.settings.language_weight * losses["language"]


def speaking_head(network: Symphonies) -> LanguageHead:
    """Return the language head of a network; raises ``ValueError`` where it has none."""
    if network.language_head is None:
        message = "the network has no language head"
        raise ValueError(message)
    return network.language_head


def occupancy_losses(logits: Tensor, labels: Tensor) -> Mapping[str, Tensor]:
    """Return cross-entropy and Lovász-softmax of free against occupied, 0 where nothing is known.

    logits: (2, N), free and occupied. labels: (N,) int64, 0 = free, 255 = takes no part, all others = occupied, 12 too.
    """
    known = labels != SemanticClass.UNKNOWN
    if not known.any():
        return dict.fromkeys(("cross_entropy", "lovasz"), logits.sum() * 0)
    log_probabilities = logits[:, known].T.log_softmax(dim=-1)
    occupied = (labels[known] != SemanticClass.EMPTY).long()
    return {
        "cross_entropy": functional.nll_loss(log_probabilities, occupied),
        "lovasz": lovasz_softmax(log_probabilities.exp(), occupied),
    }


def balanced(weights: Tensor, balance: Balance) -> Tensor:
    """Return weights (n,), which sum to 1, of voxels whose weights (n,) would let every region count alike."""
    powers = weights ** {"voxels": 0.0, "roots": 0.5, "regions": 1.0}[balance]
    return powers / powers.sum()


class TaughtVoxels(NamedTuple):
    """What a picture teaches.

    voxels: (n,) int64, ascending, those that pixels of regions fall into. targets: (n, E), the mean embedding of each
    over its pixels. weights: (n,), sum to 1, and count every region alike however many voxels it has.
    """

    voxels: Tensor
    targets: Tensor
    weights: Tensor


def taught_voxels(voxels: Tensor, regions: Tensor, embeddings: Tensor) -> TaughtVoxels:
    """Return what the regions of a picture teach.

    voxels: (H, W), -1 = none. regions: (H, W), 0 = none. embeddings: (R, E), region r in row r - 1.
    """
    speaking = (voxels >= 0) & (regions > 0)
    stride = len(embeddings) + 1
    pairs, pixels = torch.unique(voxels[speaking] * stride + regions[speaking].long(), return_counts=True)
    voxel, place = torch.unique(pairs // stride, return_inverse=True)
    region = pairs % stride - 1
    share = pixels / torch.bincount(place, pixels, len(voxel))[place]
    targets = embeddings.new_zeros(len(voxel), embeddings.shape[1])
    targets.index_add_(0, place, share.to(embeddings)[:, None] * embeddings[region])
    size = torch.bincount(region, share, len(embeddings))
    weights = torch.bincount(place, share / size[region], len(voxel)) / max(int((size > 0).sum()), 1)
    return TaughtVoxels(voxel, targets, weights.to(embeddings))
