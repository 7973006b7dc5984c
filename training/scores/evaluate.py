"""Networks, and whatever else labels grids, on the frames of a dataset."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from models.device import device_of
from models.symphonies import Symphonies
from pipeline.contract.progress import Progress, silent
from training.data import Frames, Sample, check_learnable, collate
from training.errors import WrongCheckpoint
from training.scores.metrics import Evaluation
from training.tasks.losses import CLASSES
from training.tasks.supervise import views_of

Predictor = Callable[[Sample], NDArray[np.uint8]]
"""A picture with depth and camera to a grid (60, 60, 36) of labels."""


@torch.inference_mode()
def predict(network: Symphonies, sample: Sample) -> NDArray[np.uint8]:
    """Return the grid (60, 60, 36) uint8 that a network predicts: the class with the highest score of every voxel."""
    logits = network.eval()(views_of(collate([sample])).to(next(network.parameters()).device))[-1]
    return np.asarray(logits[0].argmax(dim=0).to(torch.uint8).cpu().numpy())


def evaluate(network: Symphonies, frames: Frames, name: str, progress: Progress = silent) -> Evaluation:
    """Score a network on every frame, on the GPU where there is one, beside the two baselines.

    Raises:
        WrongCheckpoint: its head does not score classes, as that of a network which was only pre-trained.
    """
    return score({name: classifier(network)}, frames, progress)


def classifier(network: Symphonies) -> Predictor:
    """Return a network's own prediction, on the GPU where there is one.

    Raises:
        WrongCheckpoint: its head does not score classes, as that of a network which was only pre-trained.
    """
    if network.config.outputs != CLASSES:
        message = f"the network's head has {network.config.outputs} outputs, not {CLASSES} classes: fine-tune it first"
        raise WrongCheckpoint(message)
    return partial(predict, network.to(device_of(None)))


def score(predictors: Mapping[str, Predictor], frames: Frames, progress: Progress = silent) -> Evaluation:
    """Score what labels grids on every frame; the first is the one looked at, the others stand beside it.

    Raises:
        UnusableDataset: there is no frame, or nothing known in any grid.
    """
    check_learnable(frames)
    evaluation = Evaluation(*predictors)
    for index in range(len(frames)):
        sample = frames[index]
        first, *others = (predict_grid(sample) for predict_grid in predictors.values())
        evaluation.add(first, sample, *others)
        progress("evaluation", index + 1, len(frames))
    return evaluation
