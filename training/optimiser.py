"""How weights move: AdamW with its groups of weights, learning rate schedules, and the moving average that is kept."""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.settings import LoopSettings

ENCODER = (".encoder.backbone", ".encoder.pixel_decoder")
"""Parts of names by which the image encoder's weights are known."""


def trained_weights(task: nn.Module) -> list[nn.Parameter]:
    """Return the weights that are trained, the image encoder's last: so the norm of the gradients is summed."""
    named = [(name, weights) for name, weights in task.named_parameters() if weights.requires_grad]
    return [weights for _, weights in sorted(named, key=lambda item: _is_encoder(item[0]))]


def new_optimizer(task: nn.Module, settings: LoopSettings) -> torch.optim.Optimizer:
    """Return AdamW over the trained weights; a group's ``share`` is that of the learning rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weights in task.named_parameters():
        share = settings.encoder_rate if _is_encoder(name) else 1.0
        decays = settings.weight_decay_of == "all" or weights.ndim > 1
        if weights.requires_grad:
            groups.setdefault((share, settings.weight_decay if decays else 0.0), []).append(weights)
    return torch.optim.AdamW(
        [{"params": group, "share": share, "weight_decay": decay} for (share, decay), group in groups.items()],
        lr=settings.learning_rate,
        betas=settings.betas,
        eps=settings.epsilon,
    )


def set_learning_rate(optimizer: Any, settings: LoopSettings, step: int, steps: int) -> None:
    """Give every group its learning rate at a step."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(settings, step, steps) * group["share"]


def learning_rate(settings: LoopSettings, step: int, steps: int) -> float:
    """Return the learning rate of a step, from 0, of ``steps`` in all."""
    highest = settings.learning_rate
    if step < settings.warm_up:
        return highest * (step + 1) / settings.warm_up
    if settings.schedule == "step":
        return highest * (0.1 if step / steps >= settings.decay_at else 1.0)
    share = (step - settings.warm_up) / max(1, steps - settings.warm_up)
    return highest * 0.5 * (1 + math.cos(share * math.pi))


def moving_average(task: nn.Module, settings: LoopSettings) -> AveragedModel | None:
    """Return a task whose weights and buffers follow those of ``task``, None where the last ones are to be kept."""
    if not settings.ema_decay:
        return None
    return AveragedModel(task, avg_fn=partial(_average, settings.ema_decay), use_buffers=True)


def _average(decay: float, averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
    """Forget the first weights sooner than ``decay`` would; counters of batches are taken as they are."""
    if not current.is_floating_point():
        return current
    return torch.lerp(current, averaged, min(decay, (1 + float(count)) / (10 + float(count))))


def _is_encoder(name: str) -> bool:
    return any(part in name for part in ENCODER)
