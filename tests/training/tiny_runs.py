"""Runs that take no time: settings, features made of numbers, and a task whose arithmetic fits on a slip of paper."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from training.batches import EpochBatches
from training.loop import Training
from training.settings import LoopSettings

WIDTH = 8


def quick(**values: object) -> LoopSettings:
    given = {"epochs": 2, "batch_size": 2, "workers": 0, "log_every": 1, "accelerator": "cpu", "learning_rate": 2e-3}
    return LoopSettings.model_validate({**given, **values})


class NumberedFeatures:
    """Features that are a function of the frame's number: enough for the plumbing of distillation."""

    group = "teacher_numbered"

    def __getitem__(self, index: int) -> np.ndarray:
        return np.random.default_rng(index).standard_normal((WIDTH, 6, 8)).astype(np.float16)


class Numbers(NamedTuple):
    values: torch.Tensor
    names: tuple[str, ...]


class Root(torch.nn.Module):
    """The mean of roots: finite at zero, where its gradient is not."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, batch: Numbers) -> dict[str, torch.Tensor]:
        return {"total": (self.weight * batch.values).sqrt().mean()}


def roots(numbers: dict[int, float], task: torch.nn.Module | None = None) -> Training:
    def stacked(rows: Sequence[int]) -> Numbers:
        return Numbers(torch.tensor([numbers[row] for row in rows]), tuple(f"number {row}" for row in rows))

    return Training(task or Root(), EpochBatches(range(len(numbers)), stacked), {})
