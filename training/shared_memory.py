"""Loader processes hand samples over in ``/dev/shm``, of which a container has 64 MB: looked at before they start.

Where it is full, a loader process is killed or waits for ever. So none is started where it would be too small, and a
training waits for a batch no longer than ``loop.loader_timeout_s``.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

from training.errors import LoaderStopped
from training.settings import LoopSettings

SHARED = "/dev/shm"  # noqa: S108 - where Linux keeps shared memory; nothing is written there by name
AHEAD = 2
"""Batches that every loader process prepares ahead, torch's own number."""

_log = logging.getLogger(__name__)


def loader_options(settings: LoopSettings, batch_bytes: int, ahead: int = AHEAD) -> dict[str, Any]:
    """Return how many processes a loader may have, and how long it is waited for, as ``DataLoader`` takes them.

    Args:
        settings: of the training.
        batch_bytes: that one process hands over at a time.
        ahead: batches that each prepares.
    """
    needed, free = batch_bytes * (settings.workers * ahead + 1), free_bytes()
    if settings.workers == 0:
        return {"num_workers": 0}
    if free is not None and needed > free:
        _log.warning(
            "%s has %.0f MB free and %d loader processes need %.0f MB: samples are read without them, more slowly. "
            "Give the container more (docker run --shm-size=%dm), or say loop.workers=0",
            SHARED,
            free / 1e6,
            settings.workers,
            needed / 1e6,
            -(-2 * needed // 2**20),
        )
        return {"num_workers": 0}
    return {"num_workers": settings.workers, "timeout": settings.loader_timeout_s}


def free_bytes(folder: str = SHARED) -> int | None:
    """Return the shared memory that is free, or None on systems that have no such folder."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def held_bytes(batch: Any) -> int:
    """Return the bytes of the tensors in a batch."""
    if isinstance(batch, Tensor):
        return int(batch.nbytes)
    if isinstance(batch, tuple | list):
        return sum(map(held_bytes, batch))
    if is_dataclass(batch) and not isinstance(batch, type):
        return sum(held_bytes(getattr(batch, field.name)) for field in fields(batch))
    return 0


def handed_over(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loader gives.

    Raises:
        LoaderStopped: its processes died, or gave nothing for ``loop.loader_timeout_s``.
    """
    try:
        yield from batches
    except RuntimeError as error:
        if "DataLoader" not in str(error) or isinstance(error.__cause__, Exception):
            raise
        raise LoaderStopped(
            f"{' '.join(str(error).split())[:300]}: too little shared memory ({SHARED}, docker's --shm-size), "
            "or a disk that does not answer; go on with the same command, with loop.workers=0 if it happens again"
        ) from error
