"""Counts what real networks are given, and that they are built, by torch's own hooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def counted_calls(kind: type[nn.Module]) -> Iterator[list[int]]:
    """Collect the batch size of every call of a kind of module, whichever object it is."""
    batches: list[int] = []

    def count(module: nn.Module, given: tuple[Any, ...]) -> None:
        if isinstance(module, kind):
            batches.append(len(given[0]))

    hook = nn.modules.module.register_module_forward_pre_hook(count)
    try:
        yield batches
    finally:
        hook.remove()


@contextmanager
def built_modules() -> Iterator[list[nn.Module]]:
    """Collect the modules that get parameters of their own: of a network that is built, whoever loads it."""
    built: list[nn.Module] = []
    hook = nn.modules.module.register_module_parameter_registration_hook(lambda module, *_: built.append(module))
    try:
        yield built
    finally:
        hook.remove()
