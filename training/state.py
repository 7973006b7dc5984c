"""The saved state of a training: there whole or not at all, and of this training or refused."""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from models.memory import is_out_of_memory
from training.curves import Curves
from training.errors import WrongCheckpoint
from training.fabric import Fabric
from training.weight_files import same_identity

STATE = "state.ckpt"
EARLIER_STATE = "checkpoint.pt"
"""What trainings of small networks of the first release left; its loop was another."""


@dataclass
class TrainingState:
    """A training at some step.

    task, optimizer: as Fabric set them up. averaged: the task with the moving average of its weights, if one is kept.
    identity: what makes the training what it is. step: steps done.
    """

    task: Any
    optimizer: Any
    averaged: AveragedModel | None
    identity: str
    step: int = 0
    curves: Curves = field(default_factory=Curves)

    @property
    def kept(self) -> nn.Module:
        """The task with the weights that the training is for: their moving average, or the last ones."""
        kept: nn.Module = self.task.module if self.averaged is None else self.averaged.module
        return kept

    def save(self, folder: Path, fabric: Fabric) -> None:
        """Write the state, whole or not at all, from the first process."""
        draft = folder / f"{STATE}.part"
        fabric.save(draft, self._content())
        if fabric.is_global_zero:
            draft.replace(folder / STATE)
        fabric.barrier()

    def resume(self, folder: Path, fabric: Fabric) -> None:
        """Go on where a folder's state is; without one, from the beginning.

        Raises:
            WrongCheckpoint: the folder holds the state of another training, or a damaged one.
        """
        if not (folder / STATE).exists():
            return _check_nothing_earlier(folder)
        if not same_identity(_identity_of(folder / STATE), self.identity):
            message = f"{folder} holds the state of a run on other data, network or settings, or of an earlier release"
            raise WrongCheckpoint(f"{message}: name another folder, or delete it")
        content = self._content()
        try:
            fabric.load(folder / STATE, content, weights_only=True)
            self.step, self.curves = int(content["step"]), Curves.of(content["curves"])
        except Exception as error:
            raise _damaged(folder / STATE, error) from error
        return None

    def _content(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "optimizer": self.optimizer,
            "averaged": self.averaged,
            "identity": self.identity,
            "step": self.step,
            "curves": self.curves.points,
        }


def _identity_of(path: Path) -> object:
    """Return whose state a file is; raises ``WrongCheckpoint`` where it is damaged."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True).get("identity")
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> Exception:
    """Return what reading a state ended with: damage, whatever torch makes of it, or what says nothing of the file."""
    of_the_disk = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
    if of_the_disk or is_out_of_memory(error):
        return error
    return WrongCheckpoint(f"{path} is damaged: delete it, and the run begins anew")


def _check_nothing_earlier(folder: Path) -> None:
    if (folder / EARLIER_STATE).exists():
        message = f"{folder / EARLIER_STATE} is the state of an earlier release, which this one cannot go on from"
        raise WrongCheckpoint(f"{message}: name another folder, or delete it")
