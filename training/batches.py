"""Batches of a training as a function of the step: those of samples that are indexed, epoch after epoch."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset, Subset

from training.fabric import Fabric
from training.settings import LoopSettings
from training.shared_memory import handed_over, held_bytes, loader_options


class NamedBatch(Protocol):
    """A batch that can say which samples it holds."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        ...


class Batches(Protocol):
    """What a training learns from.

    samples: how many there are, which makes a training what it is; None for an endless stream.
    """

    @property
    def samples(self) -> int | None:
        """Number of samples, None for an endless stream."""
        ...

    def steps(self, settings: LoopSettings, devices: int) -> int:
        """Return the number of optimiser steps of a training."""
        ...

    def starting_at(self, step: int, settings: LoopSettings, fabric: Fabric) -> Iterator[Sequence[NamedBatch]]:
        """Yield the batches of a step and of all that follow, on the device; of a step, one a forward pass."""
        ...


class EpochBatches:
    """Every sample once an epoch, in an order drawn from (seed, epoch), filled up from its beginning to whole steps.

    samples: anything that is indexed. collate: makes batches of them.
    """

    def __init__(self, samples: Any, collate: Callable[[Sequence[Any]], NamedBatch]) -> None:
        self._samples, self._collate = samples, collate

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self._samples)

    def steps(self, settings: LoopSettings, devices: int) -> int:
        """Return the steps that are asked for, or those of so many epochs."""
        return settings.steps or self._steps_an_epoch(settings, devices) * settings.epochs

    def starting_at(self, step: int, settings: LoopSettings, fabric: Fabric) -> Iterator[list[NamedBatch]]:
        """Yield the batches of a step and of all that follow, on the device; of a step, one a forward pass."""
        options = self._loader_options(settings)
        steps, an_epoch = self.steps(settings, fabric.world_size), self._steps_an_epoch(settings, fabric.world_size)
        while step < steps:
            epoch, within = divmod(step, an_epoch)
            drawn = self._drawn(epoch, settings, fabric.world_size)[within * _a_step(settings, fabric.world_size) :]
            samples: Dataset[Any] = Subset(self._samples, drawn)
            loader: Any = fabric.setup_dataloaders(
                DataLoader(samples, settings.batch_size, collate_fn=self._collate, **options)
            )
            batches = handed_over(loader)
            while step < steps and (taken := list(islice(batches, settings.accumulate))):
                yield taken
                step += 1

    def _loader_options(self, settings: LoopSettings) -> dict[str, Any]:
        """Return how the loader works, by the size of the first sample."""
        held = held_bytes(self._collate([self._samples[0]])) if settings.workers else 0
        return loader_options(settings, held * settings.batch_size)

    def _steps_an_epoch(self, settings: LoopSettings, devices: int) -> int:
        return math.ceil(self.samples / _a_step(settings, devices))

    def _drawn(self, epoch: int, settings: LoopSettings, devices: int) -> list[int]:
        """Return the samples of an epoch, in order."""
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
        drawn = torch.randperm(self.samples, generator=generator).tolist()
        filled = self._steps_an_epoch(settings, devices) * _a_step(settings, devices)
        return [drawn[i % self.samples] for i in range(filled)]


def _a_step(settings: LoopSettings, devices: int) -> int:
    """Return the number of samples of an optimiser step."""
    return settings.batch_size * settings.accumulate * devices
