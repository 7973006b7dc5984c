"""Learning from labels: the losses of every layer's answer, summed."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.symphonies import Symphonies, Views
from training.data import Batch
from training.tasks.losses import Truth, occupancy_losses


def views_of(batch: Batch) -> Views:
    """Return what a network may see of a batch: everything but the labels."""
    return Views(batch.rgb, batch.depth, batch.intrinsics, batch.camera_to_world, batch.origin)


class Supervision(nn.Module):
    """A network with its losses: batches in, losses out, so that devices share gradients of all that is trained.

    earlier_layers: weight of the losses of the layers before the last (Symphonies: 0.5).
    """

    def __init__(self, network: Symphonies, earlier_layers: float = 0.5, *, linear_probe: bool = False) -> None:
        super().__init__()
        self.network = network
        self.earlier_layers = earlier_layers
        self.linear_probe = linear_probe
        if linear_probe:
            network.requires_grad_(requires_grad=False)
            network.head.requires_grad_()

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Return the losses of the last layer by name, and under ``total`` what is to be minimised."""
        *earlier, last = self.network(views_of(batch))
        truth = Truth.of(batch.labels, batch.pixels, batch.in_view, batch.weights)
        losses = occupancy_losses(last, truth)
        total = _summed(losses)
        for logits in earlier:
            total = total + self.earlier_layers * _summed(occupancy_losses(logits, truth))
        return {**losses, "total": total}

    def train(self, mode: bool = True) -> "Supervision":
        """Switch to training; what a linear probe freezes stays in evaluation mode."""
        super().train(mode)
        if self.linear_probe:
            self.network.eval()
        return self


def _summed(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()
