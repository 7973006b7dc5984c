"""Errors of torch where memory runs out, as they come from it."""

from collections.abc import Callable

import torch


def of_the_card() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def of_the_processor() -> None:
    torch.empty(10**15)  # more than any machine has: torch refuses it itself


RUN_OUT: tuple[Callable[[], None], ...] = (of_the_card, of_the_processor)
