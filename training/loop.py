"""The loop that every task runs in: Lightning Fabric does devices, precision and gradient exchange.

What a step does depends on the settings and its number alone: the order of samples is drawn from (seed, epoch), dropout
from (seed, step). The state is saved whole or not at all, so that a run killed at any step goes on to the same result
(on a GPU up to the order in which it adds).
"""

import hashlib
import json
import math
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers.tensorboard import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from training.curves import Curves
from training.errors import LossNotFinite, WrongCheckpoint
from training.settings import LoopSettings

STATE = "state.ckpt"


class Named(Protocol):
    """A batch that can say which samples it holds."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        ...


@dataclass(frozen=True)
class Work:
    """What is trained on what.

    task: batches to losses, minimised under ``total``. samples: anything that is indexed. collate: to batches.
    identity: what makes this run what it is (data, network, settings); a state of another run is refused.
    """

    task: nn.Module
    samples: Any
    collate: Callable[[Sequence[Any]], Named]
    identity: Mapping[str, Any]


def fabric_for(settings: LoopSettings, folder: Path) -> Fabric:
    """Return a launched Fabric; under ``torchrun`` it joins the processes that are there."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", settings.devices))
    nodes = max(int(os.environ.get("WORLD_SIZE", local)) // local, 1)
    fabric = Fabric(
        accelerator=settings.accelerator,
        devices=local,
        num_nodes=nodes,
        strategy="ddp" if local * nodes > 1 else "auto",
        precision=settings.precision,
        loggers=TensorBoardLogger(folder, name="tensorboard", version=""),
    )
    fabric.launch()
    return fabric


def train(
    work: Work, settings: LoopSettings, folder: Path, fabric: Fabric, progress: Callable[[int, int], None]
) -> Curves:
    """Train, or go on where an earlier process was killed; returns the curves.

    folder: keeps the state. progress: told (steps done, steps in all).

    Raises:
        LossNotFinite: the loss or a gradient is, naming the batch; the last good state stays.
        WrongCheckpoint: the folder holds the state of another run, or a damaged one.
    """
    torch.manual_seed(settings.seed)
    folder.mkdir(parents=True, exist_ok=True)
    task: Any = work.task
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        synchronised: Any = nn.SyncBatchNorm
        task = synchronised.convert_sync_batchnorm(task)
    task, optimizer = fabric.setup(task, _optimizer(task, settings))
    order = _Order(len(work.samples), settings, fabric.world_size)
    state = {"task": task, "optimizer": optimizer, "step": 0, "curves": {}, "identity": _identity(work, settings)}
    _resume(folder, state, fabric)
    curves = Curves.of(state["curves"])
    for step, batches in _steps(work, settings, order, state["step"], fabric):
        _set_rate(optimizer, settings, share=step / order.steps)
        task.train()
        losses = _step(task, optimizer, batches, step, settings, fabric)
        if (step + 1) % settings.log_every == 0 or step + 1 == order.steps:
            curves.add(step + 1, losses)
            fabric.log_dict(losses, step + 1)
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == order.steps:
            _save(folder, {**state, "step": step + 1, "curves": curves.points}, fabric)
        progress(step + 1, order.steps)
    return curves


class _Order:
    """Which samples a step takes: a permutation an epoch, filled up from its own beginning to whole steps."""

    def __init__(self, samples: int, settings: LoopSettings, devices: int) -> None:
        self.samples, self.seed = samples, settings.seed
        self.per_step = settings.batch_size * settings.accumulate * devices
        self.steps_an_epoch = math.ceil(samples / self.per_step)
        self.steps = settings.steps or self.steps_an_epoch * settings.epochs

    def of(self, epoch: int, first_step: int) -> list[int]:
        """Return the samples of an epoch from a step of that epoch on."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        drawn = torch.randperm(self.samples, generator=generator).tolist()
        filled = [drawn[i % self.samples] for i in range(self.steps_an_epoch * self.per_step)]
        return filled[first_step * self.per_step :]


def _steps(
    work: Work, settings: LoopSettings, order: _Order, done: int, fabric: Fabric
) -> Iterator[tuple[int, list[Named]]]:
    step = done
    while step < order.steps:
        epoch, within = divmod(step, order.steps_an_epoch)
        samples: Dataset[Any] = Subset(work.samples, order.of(epoch, within))
        loader: Any = fabric.setup_dataloaders(
            DataLoader(samples, settings.batch_size, num_workers=settings.workers, collate_fn=work.collate)
        )
        batches = iter(loader)
        while step < order.steps and (taken := list(islice(batches, settings.accumulate))):
            yield step, taken
            step += 1


def _step(
    task: Any, optimizer: Any, batches: list[Named], step: int, settings: LoopSettings, fabric: Fabric
) -> dict[str, float]:
    fabric.seed_everything((settings.seed * 1_000_003 + step) % 2**31, workers=False, verbose=False)
    sums: dict[str, Tensor] = {}
    for number, batch in enumerate(batches):
        with fabric.no_backward_sync(task, enabled=number + 1 < len(batches)):
            losses = task(batch)
            _check_finite("loss", losses["total"], [batch], step, fabric)
            fabric.backward(losses["total"] / len(batches))
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0) + loss.detach() / len(batches)
    norm = fabric.clip_gradients(task, optimizer, max_norm=settings.clip_norm, error_if_nonfinite=False)
    if norm is not None:
        _check_finite("norm of the gradients", norm, batches, step, fabric)
    optimizer.step()
    optimizer.zero_grad()
    return {name: _over_devices(fabric, value, "mean") for name, value in sums.items()}


def _check_finite(what: str, value: Tensor, batches: Sequence[Named], step: int, fabric: Fabric) -> None:
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


def _optimizer(task: nn.Module, settings: LoopSettings) -> torch.optim.Optimizer:
    encoder: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in task.named_parameters():
        if parameter.requires_grad:
            (encoder if ".encoder.backbone" in name or ".encoder.pixel_decoder" in name else others).append(parameter)
    groups = [{"params": others, "share": 1.0}, {"params": encoder, "share": settings.encoder_rate}]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
    )


def _set_rate(optimizer: Any, settings: LoopSettings, share: float) -> None:
    factor = 0.1 if share >= settings.decay_at else 1.0
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * group["share"] * factor


def _identity(work: Work, settings: LoopSettings) -> str:
    decisive = settings.model_dump(exclude={"workers", "checkpoint_every", "devices", "accelerator"})
    content = json.dumps([work.identity, decisive, len(work.samples)], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _resume(folder: Path, state: dict[str, Any], fabric: Fabric) -> None:
    if not (folder / STATE).exists():
        return
    wanted = state["identity"]
    try:
        saved = torch.load(folder / STATE, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        message = f"{folder / STATE} is damaged: delete it, and the run begins anew"
        raise WrongCheckpoint(message) from error
    if saved.get("identity") != wanted:
        message = (
            f"{folder} holds the state of a run on other data, network or settings: name another folder, or delete it"
        )
        raise WrongCheckpoint(message)
    fabric.load(folder / STATE, state, weights_only=True)


def _save(folder: Path, state: dict[str, Any], fabric: Fabric) -> None:
    draft = folder / f"{STATE}.part"
    fabric.save(draft, state)
    if fabric.is_global_zero:
        draft.replace(folder / STATE)
    fabric.barrier()
