"""The loop of all three trainings: seeded, resumable, one line of progress, a curve of what was held out.

Every step is a function of the recipe, the step's number and the weights before it: which chunks of rendered views it
draws from, which rows, how they are changed. A checkpoint holds the rest, so that a training that was killed at any
moment and started again ends with the same weights (on the same CPU and torch; GPUs add up in any order).
"""

import math
import pickle
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from pipeline.contract.errors import SettingsError
from training.small.curve import Point, plot_curve
from training.small.samples import Samples

S = TypeVar("S", bound=Samples)


class LoopSettings(BaseModel):
    """How long and how fast a network is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, ge=0, description="of weights, houses, views and changes to them")
    steps: int = Field(ge=1, description="optimiser steps")
    batch: int = Field(ge=1, description="samples a step")
    learning_rate: float = Field(gt=0, description="highest; rises over the warm-up, then falls along a cosine")
    warm_up: int = Field(100, ge=0, description="steps until the highest learning rate")
    weight_decay: float = Field(0.05, ge=0, description="of AdamW")
    gradient_norm: float = Field(1.0, gt=0, description="gradients are cut to this norm")
    average: float = Field(0.998, ge=0, lt=1, description="decay of the moving average of the weights that is kept")
    steps_a_chunk: int = Field(ge=1, description="steps between new chunks of views")
    chunks_kept: int = Field(ge=1, description="newest chunks that samples are drawn from")
    score_every: int = Field(250, ge=1, description="steps between points of the curve")
    save_every: int = Field(50, ge=1, description="steps between checkpoints")
    workers: int = Field(1, ge=0, description="processes that render ahead; none: the training renders between steps")
    threads: int = Field(1, ge=1, description="CPU threads of torch")
    device: str = Field("cpu", description="torch device; on cuda the views are rendered there, best with no workers")


class Recipe(Protocol[S]):
    """What a training is made of; it is sent to the processes that render."""

    name: str

    @property
    def loop(self) -> LoopSettings:
        """How long and how fast."""
        ...

    def network(self) -> nn.Module:
        """Return a fresh network."""
        ...

    def network_config(self) -> str:
        """Return the network's sizes as JSON, as its weights' metadata hold them."""
        ...

    def chunk(self, index: int) -> S:
        """Return chunk ``index`` of the endless training set, on the CPU."""
        ...

    def held_out(self) -> S:
        """Return what the curve is drawn on: frames of tours that are no part of the training set."""
        ...

    def loss(self, network: nn.Module, samples: S, generator: torch.Generator) -> Tensor:
        """Return the loss of a batch, changed at random by ``generator``."""
        ...

    def scores(self, network: nn.Module, held_out: S) -> dict[str, float]:
        """Return figures of a network in evaluation mode; the first is the one that matters."""
        ...


@dataclass
class Training:
    """A training at some step."""

    network: nn.Module
    averaged: AveragedModel
    optimiser: torch.optim.Optimizer
    step: int
    curve: list[Point]


def train(recipe: Recipe[S], folder: Path) -> nn.Module:
    """Train to the end, from the last checkpoint in ``folder`` if there is one; return the averaged network.

    Raises:
        SettingsError: the checkpoint is damaged, or of a network with other sizes.
    """
    settings = recipe.loop
    torch.set_num_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    training = _resumed(recipe, folder)
    stream, line = ChunkStream(recipe, training.step), ProgressLine(recipe.name, settings)
    held_out: S | None = None
    while training.step < settings.steps:
        loss = _step(recipe, training, stream.batch(training.step))
        line.show(training, loss)
        if training.step % settings.score_every == 0 or training.step == settings.steps:
            held_out = held_out or recipe.held_out()
            _score(recipe, training, held_out, loss, folder)
        if training.step % settings.save_every == 0 or training.step == settings.steps:
            _save(training, folder)
    return training.averaged.module.eval()


def averaged_so_far(recipe: Recipe[S], folder: Path) -> nn.Module:
    """Return the averaged network of the last checkpoint in ``folder``.

    Raises:
        SettingsError: there is no checkpoint, or none of this recipe.
    """
    training = _resumed(recipe, folder)
    if not training.step:
        raise SettingsError(f"there is no checkpoint in {folder}; train first")
    return training.averaged.module.eval()


def generator_of(seed: int, step: int, device: str = "cpu") -> torch.Generator:
    """Return the source of randomness of one step."""
    return torch.Generator(device).manual_seed((seed << 32) + step)


class ChunkStream(Generic[S]):
    """Batches by step; chunks are rendered ahead, in order, and the newest few are kept."""

    def __init__(self, recipe: Recipe[S], first_step: int) -> None:
        self._settings = recipe.loop
        last = (self._settings.steps - 1) // self._settings.steps_a_chunk
        oldest = max(0, first_step // self._settings.steps_a_chunk - self._settings.chunks_kept + 1)
        self._numbers: Iterator[int] = iter(range(oldest, last + 1))
        self._chunks = iter(_loader(recipe, oldest, last + 1))
        self._kept: list[tuple[int, S]] = []

    def batch(self, step: int) -> S:
        """Return the batch of a step; steps are asked for in order."""
        wanted = step // self._settings.steps_a_chunk
        while not self._kept or self._kept[-1][0] < wanted:
            self._kept = [*self._kept, (next(self._numbers), next(self._chunks))][-self._settings.chunks_kept :]
        chunks = [chunk for _, chunk in self._kept]
        sizes = torch.tensor([len(chunk) for chunk in chunks])
        generator = generator_of(self._settings.seed, step)
        rows = torch.randperm(int(sizes.sum()), generator=generator)[: self._settings.batch].sort().values
        ends = sizes.cumsum(0)
        parts = [
            chunk.rows(rows[(rows >= end - size) & (rows < end)] - (end - size))
            for chunk, size, end in zip(chunks, sizes, ends, strict=True)
        ]
        return type(chunks[0]).concatenate(parts).to(torch.device(self._settings.device))


class _Chunks(Dataset[S]):
    """The chunks of a recipe by number, for torch's loader, whose workers end with their parent."""

    def __init__(self, recipe: Recipe[S], first: int, end: int) -> None:
        self._recipe, self._first, self._end = recipe, first, end

    def __len__(self) -> int:
        return self._end - self._first

    def __getitem__(self, index: int) -> S:
        return self._recipe.chunk(self._first + index)


def _loader(recipe: Recipe[S], first: int, end: int) -> DataLoader[S]:
    workers = recipe.loop.workers
    ahead: dict[str, Any] = {"prefetch_factor": 1, "multiprocessing_context": "spawn"} if workers else {}
    return DataLoader(_Chunks(recipe, first, end), batch_size=None, num_workers=workers, **ahead)


def _step(recipe: Recipe[S], training: Training, samples: S) -> float:
    settings = recipe.loop
    for group in training.optimiser.param_groups:
        group["lr"] = _learning_rate(settings, training.step)
    training.network.train()
    generator = generator_of(settings.seed + 1, training.step, settings.device)
    loss = recipe.loss(training.network, samples, generator)
    training.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(training.network.parameters(), settings.gradient_norm)
    training.optimiser.step()
    training.averaged.update_parameters(training.network)
    training.step += 1
    return float(loss.detach())


def _learning_rate(settings: LoopSettings, step: int) -> float:
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / settings.warm_up
    share = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up)
    return settings.learning_rate * 0.5 * (1 + math.cos(share * math.pi))


def _score(recipe: Recipe[S], training: Training, held_out: S, loss: float, folder: Path) -> None:
    with torch.inference_mode():
        scores = recipe.scores(training.averaged.module.eval(), held_out)
    training.curve.append(Point(training.step, loss, scores))
    plot_curve(recipe.name, training.curve, folder / "curve.png")
    shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
    sys.stdout.write(f"\r{recipe.name} step {training.step}: {shown}\n")
    sys.stdout.flush()


def _fresh(recipe: Recipe[S]) -> Training:
    settings = recipe.loop
    torch.manual_seed(settings.seed)
    network = recipe.network().to(settings.device)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
    )
    averaged = AveragedModel(network, avg_fn=partial(_moving_average, settings.average), use_buffers=True)
    return Training(network, averaged, optimiser, 0, [])


def _moving_average(decay: float, averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
    """Forget the first weights sooner than ``decay`` would; counters of batches are taken as they are."""
    if not current.is_floating_point():
        return current
    return torch.lerp(current, averaged, min(decay, (1 + float(count)) / (10 + float(count))))


def _resumed(recipe: Recipe[S], folder: Path) -> Training:
    """Return the training as its last checkpoint in ``folder`` left it, or one that has not begun.

    Raises:
        SettingsError: the checkpoint is damaged, or of a network with other sizes.
    """
    training, path = _fresh(recipe), folder / "checkpoint.pt"
    if not path.is_file():
        return training
    try:
        stored = torch.load(path, map_location=recipe.loop.device, weights_only=True)
        training.network.load_state_dict(stored["network"])
        training.averaged.load_state_dict(stored["averaged"])
        training.optimiser.load_state_dict(stored["optimiser"])
        training.step = stored["step"]
        training.curve = [Point(**point) for point in stored["curve"]]
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise SettingsError(f"{path} does not belong to this recipe, name another folder: {first}") from error
    return training


def _save(training: Training, folder: Path) -> None:
    """Write a checkpoint, whole or not at all."""
    part = folder / "checkpoint.pt.part"
    content = {
        "network": training.network.state_dict(),
        "averaged": training.averaged.state_dict(),
        "optimiser": training.optimiser.state_dict(),
        "step": training.step,
        "curve": [asdict(point) for point in training.curve],
    }
    torch.save(content, part)
    part.replace(folder / "checkpoint.pt")


class ProgressLine:
    """One line on the terminal: how far, how well, how fast of late, how long still."""

    def __init__(self, name: str, settings: LoopSettings, every_s: float = 5.0) -> None:
        self._name, self._settings, self._every = name, settings, every_s
        self._then, self._then_step, self._mean = time.monotonic(), -1, 0.0

    def show(self, training: Training, loss: float) -> None:
        """Show the line anew, at most every few seconds."""
        if self._then_step < 0:
            self._then, self._then_step, self._mean = time.monotonic(), training.step, loss
        self._mean += 0.02 * (loss - self._mean)
        now = time.monotonic()
        if now - self._then < self._every:
            return
        rate = (training.step - self._then_step) / (now - self._then)
        left = (self._settings.steps - training.step) / max(rate, 1e-6) / 60
        self._then, self._then_step = now, training.step
        sys.stdout.write(
            f"\r{self._name} {training.step}/{self._settings.steps}  loss {self._mean:.4f}  "
            f"{rate * self._settings.batch:.1f} samples/s  {left:.0f} min left   "
        )
        sys.stdout.flush()
