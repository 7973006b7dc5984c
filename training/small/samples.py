"""Samples of a training set: tensors that share their first axis."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self, TypeVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """Base of a recipe's samples; every field is a tensor (n, ...)."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    @property
    def device(self) -> torch.device:
        """Where the samples are."""
        first: Tensor = getattr(self, fields(self)[0].name)
        return first.device

    def rows(self, rows: Tensor | slice) -> Self:
        """Select samples."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, device: torch.device) -> Self:
        """Return the samples on another device."""
        return type(self)(*(getattr(self, field.name).to(device) for field in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Put samples of several chunks into one."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))


S = TypeVar("S", bound=Samples)
