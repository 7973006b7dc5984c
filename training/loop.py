"""The loop that every network is trained in: Lightning Fabric does devices, precision and gradient exchange.

What a step does depends on the settings and its number alone: the samples it takes, how they are changed, and dropout.
The state is saved whole or not at all, so that a training killed at any step goes on to the same result (on a GPU up to
the order in which it adds).
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.device import device_of, has_bfloat16
from models.errors import NoSuchDevice
from pipeline.contract.progress import Progress
from training.batches import Batches, NamedBatch
from training.curves import Curves
from training.errors import LossNotFinite
from training.fabric import Fabric, Logger, TensorBoardLogger
from training.optimiser import moving_average, new_optimizer, set_learning_rate, trained_weights
from training.plateau import is_over, keep_if_best, take_best
from training.settings import LoopSettings
from training.state import TrainingState

SCORES_PLOT = "curve.png"


@dataclass(frozen=True)
class Training:
    """What is trained on what.

    task: batches to losses, minimised under ``total``. batches: by step. identity: what makes it what it is beside how
    it is optimised (data, network, settings); a state of another training is refused. scores: figures of the task in
    evaluation mode on what is held out, if anything is. judged_by: which of them decides when ``patience`` is over.
    """

    task: nn.Module
    batches: Batches
    identity: Mapping[str, Any]
    scores: Callable[[nn.Module], Mapping[str, float]] | None = None
    judged_by: str | None = None


@dataclass(frozen=True)
class Trained:
    """What a training came to: the task with the weights that are kept, the steps done, and the curves."""

    task: nn.Module
    steps: int
    curves: Curves


def fabric_for(settings: LoopSettings, folder: Path, *loggers: Logger) -> Fabric:
    """Return a launched Fabric; under ``torchrun`` it joins the processes that are there.

    Raises:
        NoSuchDevice: a graphics card is asked for that is not there, or bfloat16 of one that has none.
    """
    check_device(settings)
    local = int(os.environ.get("LOCAL_WORLD_SIZE", settings.devices))
    nodes = max(int(os.environ.get("WORLD_SIZE", local)) // local, 1)
    fabric = Fabric(
        accelerator=settings.accelerator,
        devices=local,
        num_nodes=nodes,
        strategy="ddp" if local * nodes > 1 else "auto",
        precision=settings.precision,
        loggers=[TensorBoardLogger(folder, name="tensorboard", version=""), *loggers],
    )
    fabric.launch()
    return fabric


def check_device(settings: LoopSettings, place: str = "loop.") -> None:
    """See that there is what a training is to run on.

    place: what stands before the names of these settings in the command's ``--set``.

    Raises:
        NoSuchDevice: a graphics card is asked for that is not there, or bfloat16 of one that has none.
    """
    try:
        device = device_of(None if settings.accelerator == "auto" else settings.accelerator)
    except NoSuchDevice as error:
        raise NoSuchDevice(f"{error}: --set {place}accelerator=auto") from error
    if settings.precision == "bf16-mixed" and not has_bfloat16(device):
        raise NoSuchDevice(f"{device} does not compute in bfloat16: --set {place}precision=32-true")


def train(training: Training, settings: LoopSettings, folder: Path, fabric: Fabric, progress: Progress) -> Trained:
    """Train, or go on where an earlier process was killed.

    folder: keeps the state. progress: called with the steps.

    Raises:
        LossNotFinite: the loss or a gradient is, naming the batch; the last good state stays.
        WrongCheckpoint: the folder holds the state of another training, or a damaged one.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    state = state_of(training, settings, folder, fabric)
    steps = training.batches.steps(settings, fabric.world_size)
    for batches in training.batches.starting_at(state.step, settings, fabric):
        if fabric.broadcast(is_over(state, settings, training.judged_by)):
            break
        set_learning_rate(state.optimizer, settings, state.step, steps)
        losses = _step(state, batches, settings, fabric)
        if _is_due(state.step, steps, settings.log_every):
            state.curves.add(state.step, losses)
            fabric.log_dict(losses, state.step)
        if training.scores is not None and _is_due(state.step, steps, settings.score_every):
            _score(training.scores, state, folder, fabric)
            if fabric.is_global_zero:
                keep_if_best(state, settings, training.judged_by, folder)
        if _is_due(state.step, steps, settings.checkpoint_every):
            state.save(folder, fabric)
        progress("training", state.step, steps)
    if fabric.is_global_zero:
        take_best(state, settings, training.judged_by, folder)
    return Trained(state.kept.eval(), state.step, state.curves)


def state_of(training: Training, settings: LoopSettings, folder: Path, fabric: Fabric) -> TrainingState:
    """Return a training as an earlier process left it in a folder, or as it begins.

    Raises:
        WrongCheckpoint: the folder holds the state of another training, or a damaged one.
    """
    torch.manual_seed(settings.seed)
    task: Any = training.task
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        synchronised: Any = nn.SyncBatchNorm
        task = synchronised.convert_sync_batchnorm(task)
    task, optimizer = fabric.setup(task, new_optimizer(task, settings))
    averaged = moving_average(task.module, settings)
    identity = [training.identity, settings.decisive(), training.batches.samples]
    state = TrainingState(task, optimizer, averaged, json.dumps(identity, sort_keys=True, default=str))
    state.resume(folder, fabric)
    return state


def _is_due(step: int, steps: int, every: int) -> bool:
    return step % every == 0 or step == steps


def _step(
    state: TrainingState, batches: Sequence[NamedBatch], settings: LoopSettings, fabric: Fabric
) -> dict[str, float]:
    """Take one optimiser step and return its losses, the mean over passes and devices."""
    fabric.seed_everything((settings.seed * 1_000_003 + state.step) % 2**31, workers=False, verbose=False)
    state.task.train()
    sums: dict[str, Tensor] = {}
    for number, batch in enumerate(batches):
        with fabric.no_backward_sync(state.task, enabled=number + 1 < len(batches)):
            losses = state.task(batch)
            _check_finite("loss", losses["total"], [batch], state.step, fabric)
            fabric.backward(losses["total"] / len(batches))
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0) + loss.detach() / len(batches)
    norm = nn.utils.clip_grad_norm_(trained_weights(state.task.module), settings.clip_norm)
    _check_finite("norm of the gradients", norm, batches, state.step, fabric)
    state.optimizer.step()
    state.optimizer.zero_grad()
    if state.averaged is not None:
        state.averaged.update_parameters(state.task.module)
    state.step += 1
    return {name: _over_devices(fabric, value, "mean") for name, value in sums.items()}


def _score(
    scores: Callable[[nn.Module], Mapping[str, float]], state: TrainingState, folder: Path, fabric: Fabric
) -> None:
    """Score what is kept so far, in the first process, and draw the curves of it."""
    if fabric.is_global_zero:
        with torch.inference_mode():
            found = dict(scores(state.kept.eval()))
        state.curves.add(state.step, found)
        fabric.log_dict(found, state.step)
        (folder / SCORES_PLOT).write_bytes(state.curves.plot_apart(found, "held out"))


def _check_finite(what: str, value: Tensor, batches: Sequence[NamedBatch], step: int, fabric: Fabric) -> None:
    if _over_devices(fabric, (~value.detach().isfinite()).float(), "sum"):
        names = ", ".join(name for batch in batches for name in batch.names)
        message = (
            f"the {what} is {float(value):g} at step {step}, batch {names} (or that of another device); "
            "the last saved state is kept. Look at those samples, or lower learning_rate"
        )
        raise LossNotFinite(message)


def _over_devices(fabric: Fabric, value: Tensor, how: str) -> float:
    reduced: Any = fabric.all_reduce(value, reduce_op=how)
    return float(reduced)
