"""What one does to a network: pre-train it, fine-tune it, teach it words; each is safe to kill and to run again."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from models.symphonies import Symphonies
from pipeline.contract.progress import Progress, named, silent
from training.batches import EpochBatches
from training.checkpoints import (
    WEIGHTS,
    NetworkDescription,
    check_nothing_strange,
    comparable,
    describe,
    finished_network,
    new_network,
    save_network,
    start_from,
)
from training.data import Frames, check_learnable, collate, fraction
from training.data.label_weights import WeightedFrames, collate_weighted
from training.fabric import Fabric
from training.language.embeddings import SpokenFrames, collate_spoken
from training.language.task import OCCUPANCY_OUTPUTS, LanguageTask
from training.loop import Training, fabric_for, train
from training.paper_preset import begin_encoder, check_encoder, image_file
from training.plateau import BEST
from training.scores.evaluate import predict, score
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings, LoopSettings
from training.state import STATE
from training.tasks.distill import Distillation, TaughtFrames, collate_taught
from training.tasks.losses import CLASSES
from training.tasks.supervise import Supervision
from training.teachers.features import FeatureSource
from training.weight_files import with_content, with_files

HELD_OUT = "miou held out"
"""The figure that says when fine-tuning is over."""


def pretrain(
    frames: Frames,
    features: FeatureSource,
    width: int,
    preset: str,
    settings: DistillSettings,
    folder: Path,
    progress: Progress = silent,
) -> NetworkDescription:
    """Distil a teacher's features into a network of a preset; the folder then holds network, curves and description.

    width: of the teacher's features.

    Raises:
        UnusableDataset, WrongCheckpoint, LossNotFinite: as in ``training.errors``.
        SettingsError, WeightsUnavailable, WrongWeights: the image encoder's.
    """
    wanted = with_content(_wanted({"preset": preset, "teacher": features.group}, settings), data=frames)
    if done := finished_network(folder, "distilled", frames.origin, wanted):
        return done
    check_learnable(frames)
    fabric, network = _fresh(settings, folder, preset, width)
    description = NetworkDescription(
        network=network.config, task="distilled", data=frames.origin, settings=wanted, steps=0
    )
    batches = EpochBatches(TaughtFrames(frames, features, settings), collate_taught)
    return _run(
        Distillation(network, settings),
        batches,
        description,
        settings.loop,
        folder,
        fabric,
        named(progress, "distillation"),
    )


def finetune(
    frames: Frames,
    preset: str,
    start: Path | None,
    settings: FinetuneSettings,
    folder: Path,
    progress: Progress = silent,
    validation: Frames | None = None,
) -> NetworkDescription:
    """Train a network with labels, from random values or from a pre-trained folder, all but the head.

    validation: samples that mIoU is taken on meanwhile; with ``loop.patience`` training stops where it no longer rises.

    Raises:
        UnusableDataset, WrongCheckpoint, LossNotFinite: as in ``training.errors``, and of ``WeightedFrames``.
        SettingsError, WeightsUnavailable, WrongWeights: the image encoder's.
    """
    held_out = {} if validation is None else {"validation": validation.origin}
    labelled = fraction(frames, settings.label_share, settings.label_seed)
    wanted = _wanted({"preset": preset, "start": _described(start), **held_out}, settings, start)
    wanted = with_content(wanted, data=labelled, validation=validation)
    if done := finished_network(folder, "supervised", labelled.origin, wanted):
        return done
    check_learnable(labelled)
    batches = _labelled_batches(labelled, settings)
    fabric, network = _fresh(settings, folder, preset, CLASSES, start=start)
    description = NetworkDescription(
        network=network.config, task="supervised", data=labelled.origin, settings=wanted, steps=0
    )
    task = Supervision(network, settings.earlier_layers, linear_probe=settings.linear_probe)
    scores = None if validation is None else partial(_held_out, validation)
    return _run(task, batches, description, settings.loop, folder, fabric, named(progress, "fine-tuning"), scores)


def learn_language(
    frames: SpokenFrames,
    preset: str,
    start: Path | None,
    settings: LanguageSettings,
    folder: Path,
    progress: Progress = silent,
) -> NetworkDescription:
    """Train a network to say what is occupied and what it is in words, from random values or a pre-trained folder.

    Raises:
        UnusableDataset, WrongCheckpoint, LossNotFinite: as in ``training.errors``.
        SettingsError, WeightsUnavailable, WrongWeights: the image encoder's.
    """
    wanted = _wanted({"preset": preset, "start": _described(start)}, settings, start)
    if done := finished_network(folder, "language", frames.origin, wanted):
        return done
    check_learnable(frames.frames)
    fabric, network = _fresh(settings, folder, preset, OCCUPANCY_OUTPUTS, frames.width, start)
    description = NetworkDescription(
        network=network.config,
        task="language",
        data=frames.origin,
        settings=wanted,
        steps=0,
        text_weights=dict(frames.weights),
    )
    batches = EpochBatches(frames, collate_spoken)
    return _run(
        LanguageTask(network, settings),
        batches,
        description,
        settings.loop,
        folder,
        fabric,
        named(progress, "language"),
    )


def _labelled_batches(labelled: Frames, settings: FinetuneSettings) -> EpochBatches:
    if not settings.weigh_by:
        return EpochBatches(labelled, collate)
    return EpochBatches(WeightedFrames(labelled, settings.weigh_by), collate_weighted)


def _held_out(frames: Frames, task: Supervision) -> dict[str, float]:
    """Return the mIoU of a task's network on what is held out."""
    return {HELD_OUT: score({HELD_OUT: partial(predict, task.network)}, frames).summary()["miou all"]}


def _wanted(
    run: Mapping[str, Any], settings: DistillSettings | FinetuneSettings | LanguageSettings, start: Path | None = None
) -> dict[str, Any]:
    """Return the settings of a run with what the files of weights hold that it begins with."""
    network = None if start is None else start / WEIGHTS
    values = {**run, **settings.model_dump(mode="json")}
    return with_files(values, start=network, image_weights=image_file(settings.image_weights))


def _described(start: Path | None) -> dict[str, Any] | None:
    return None if start is None else describe(start).model_dump(mode="json")


def _fresh(
    settings: DistillSettings | FinetuneSettings | LanguageSettings,
    folder: Path,
    preset: str,
    outputs: int,
    language: int = 0,
    start: Path | None = None,
) -> tuple[Fabric, Symphonies]:
    """Return what a training runs on, and the network it begins with."""
    check_nothing_strange(folder)
    check_encoder(preset, settings.image_weights, start)
    fabric = fabric_for(settings.loop, folder)
    torch.manual_seed(settings.loop.seed)
    network = new_network(preset, outputs, language)
    begin_encoder(network, settings.image_weights)
    if start is not None:
        start_from(network, start)
    return fabric, network


def _run(
    task: Distillation | Supervision | LanguageTask,
    batches: EpochBatches,
    description: NetworkDescription,
    loop: LoopSettings,
    folder: Path,
    fabric: Fabric,
    progress: Progress,
    scores: Callable[[Any], Mapping[str, float]] | None = None,
) -> NetworkDescription:
    identity: Mapping[str, Any] = {"data": description.data, **comparable(description.task, description.settings)}
    trained = train(Training(task, batches, identity, scores, HELD_OUT), loop, folder, fabric, progress)
    description = description.model_copy(update={"steps": trained.steps})
    if fabric.is_global_zero:
        (folder / "curves.png").write_bytes(trained.curves.plot())
        kept: Any = trained.task
        save_network(folder, kept.network, description)
        for name in (STATE, BEST):
            (folder / name).unlink(missing_ok=True)
    fabric.barrier()
    return description
