"""What one does with a network: pre-train it, fine-tune it, evaluate it; each is safe to kill and to run again."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray

from models.device import device_of
from models.symphonies import Symphonies
from models.symphonies.maskdino import load_image_weights
from training.checkpoints import DESCRIPTION, Description, describe, new_network, save_network, start_from
from training.curves import Curves
from training.data import Frames, Sample, check_learnable, collate, fraction
from training.errors import WrongCheckpoint
from training.language.embeddings import SpokenFrames, collate_spoken
from training.language.task import OCCUPANCY_OUTPUTS, LanguageTask
from training.loop import STATE, Work, fabric_for, train
from training.scores.metrics import Evaluation
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings, LoopSettings
from training.tasks.distill import Distillation, TaughtFrames, collate_taught
from training.tasks.losses import CLASSES
from training.tasks.supervise import Supervision, views_of
from training.teachers.features import FeatureSource

Progress = Callable[[int, int], None]
Predictor = Callable[[Sample], NDArray[np.uint8]]
"""A picture with depth and camera to a grid (60, 60, 36) of labels."""


def silent(done: int, total: int) -> None:
    """Tell nobody how far a run is."""


def pretrain(
    frames: Frames,
    features: FeatureSource,
    width: int,
    preset: str,
    settings: DistillSettings,
    folder: Path,
    progress: Progress = silent,
) -> Description:
    """Distil a teacher's features into a network of a preset; the folder then holds network, curves and description.

    width: of the teacher's features.

    Raises:
        UnusableDataset, WrongCheckpoint, LossNotFinite: as in ``training.errors``.
        WrongWeights: the image encoder's.
    """
    wanted = {"preset": preset, "teacher": features.group, **settings.model_dump(mode="json")}
    if done := _finished(folder, frames, wanted):
        return done
    check_learnable(frames)
    fabric = fabric_for(settings.loop, folder)
    torch.manual_seed(settings.loop.seed)
    network = _fresh(preset, width, settings.image_weights)
    task = Distillation(network, settings)
    work = Work(task, TaughtFrames(frames, features, settings), collate_taught, {"data": frames.origin, **wanted})
    return _run(work, network, settings.loop, "distilled", folder, fabric, progress)


def finetune(
    frames: Frames,
    preset: str,
    start: Path | None,
    settings: FinetuneSettings,
    folder: Path,
    progress: Progress = silent,
) -> Description:
    """Train a network with labels, from random values or from a pre-trained folder, all but the head.

    Raises:
        UnusableDataset, WrongCheckpoint, LossNotFinite: as in ``training.errors``.
        WrongWeights: the image encoder's.
    """
    began = None if start is None else describe(start).model_dump(mode="json")
    wanted = {"preset": preset, "start": began, **settings.model_dump(mode="json")}
    part = fraction(frames, settings.label_share, settings.label_seed)
    if done := _finished(folder, part, wanted):
        return done
    check_learnable(part)
    fabric = fabric_for(settings.loop, folder)
    torch.manual_seed(settings.loop.seed)
    network = _fresh(preset, CLASSES, settings.image_weights)
    if start is not None:
        start_from(network, start)
    task = Supervision(network, settings.earlier_layers, linear_probe=settings.linear_probe)
    work = Work(task, part, collate, {"data": part.origin, **wanted})
    return _run(work, network, settings.loop, "supervised", folder, fabric, progress)


def learn_language(
    frames: SpokenFrames,
    preset: str,
    start: Path | None,
    settings: LanguageSettings,
    folder: Path,
    progress: Progress = silent,
) -> Description:
    """Train a network to say what is occupied and what it is in words, from random values or a pre-trained folder.

    Raises:
        UnusableDataset, WrongCheckpoint, LossNotFinite: as in ``training.errors``.
        WrongWeights: the image encoder's.
    """
    began = None if start is None else describe(start).model_dump(mode="json")
    wanted = {"preset": preset, "start": began, **settings.model_dump(mode="json")}
    if done := _finished(folder, frames, wanted):
        return done
    check_learnable(frames.frames)
    fabric = fabric_for(settings.loop, folder)
    torch.manual_seed(settings.loop.seed)
    network = _fresh(preset, OCCUPANCY_OUTPUTS, settings.image_weights, frames.width)
    if start is not None:
        start_from(network, start)
    work = Work(LanguageTask(network, settings), frames, collate_spoken, {"data": frames.origin, **wanted})
    return _run(work, network, settings.loop, "language", folder, fabric, progress, frames.weights)


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
        progress(index + 1, len(frames))
    return evaluation


def _fresh(preset: str, outputs: int, image_weights: str | None, language: int = 0) -> Symphonies:
    network = new_network(preset, outputs, language)
    if image_weights is not None:
        load_image_weights(network, Path(image_weights))
    return network


def _run(
    work: Work,
    network: Symphonies,
    loop: LoopSettings,
    task: str,
    folder: Path,
    fabric: Fabric,
    progress: Progress,
    text_weights: Mapping[str, str] | None = None,
) -> Description:
    curves = train(work, loop, folder, fabric, progress)
    identity = dict(work.identity)
    steps = int(curves.points["total"][-1][0])
    description = Description(
        network=network.config,
        task=task,
        data=identity.pop("data"),
        settings=identity,
        steps=steps,
        text_weights=dict(text_weights or {}),
    )
    if fabric.is_global_zero:
        _write_curves(folder, curves)
        save_network(folder, network, description)
        (folder / STATE).unlink(missing_ok=True)
    fabric.barrier()
    return description


def _write_curves(folder: Path, curves: Curves) -> None:
    (folder / "curves.png").write_bytes(curves.plot())


def _finished(folder: Path, frames: Frames | SpokenFrames, settings: Mapping[str, Any]) -> Description | None:
    """Return what a folder holds if it is exactly what is wanted, None where nothing is finished there.

    Raises:
        WrongCheckpoint: it holds the network of another run, which is not overwritten.
    """
    if not (folder / DESCRIPTION).exists():
        return None
    found = describe(folder)
    if (found.data, found.settings) != (frames.origin, settings):
        message = f"{folder} holds the network of a run on other data or settings: name another folder, or delete it"
        raise WrongCheckpoint(message)
    return found
