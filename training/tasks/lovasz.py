"""The Lovász-softmax loss (Berman et al., CVPR 2018): a convex stand-in for one minus the IoU of every class."""

import torch
from torch import Tensor


def lovasz_softmax(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the classes that occur in ``labels``, 0 where there are none.

    probabilities: (n, C). labels: (n,) int64 in 0 .. C - 1.
    """
    present = torch.unique(labels).tolist()
    if not present:
        return probabilities.sum() * 0
    return torch.stack([_class_loss(probabilities[:, label], labels == label) for label in present]).mean()


def _class_loss(probability: Tensor, belongs: Tensor) -> Tensor:
    """Return the Lovász extension of the Jaccard loss at the errors of one class; both (n,)."""
    errors, order = (belongs.to(probability) - probability).abs().sort(descending=True, stable=True)
    return errors @ _jaccard_steps(belongs[order]).to(errors)


def _jaccard_steps(belongs: Tensor) -> Tensor:
    """Return how much one minus the IoU grows with each further error: (n,), the largest errors first (Algorithm 1)."""
    true = belongs.double()
    intersection = true.sum() - true.cumsum(dim=0)
    union = true.sum() + (1 - true).cumsum(dim=0)
    return torch.diff(1 - intersection / union, prepend=true.new_zeros(1))
