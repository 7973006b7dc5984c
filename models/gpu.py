"""Who uses the graphics card of this machine, over all processes of a user: builds, runs of a daemon, trainings."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from models.errors import UnusableInput
from models.places import Places

SHARES_VARIABLE = "YOUTUBE_OCC_GPU_SHARES"
"""Sum of the shares that may be taken at a time; more than 1 for a card that holds several networks."""

_held_s: list[float] = []
"""What this process had of the card, each share times its seconds."""

FINENESS = 10
"""Places of one whole share: shares are known to a tenth."""


def places_of_gpu() -> Places:
    """Return the places of the card; raises ``UnusableInput`` where the environment names no number of shares."""
    written = os.environ.get(SHARES_VARIABLE) or "1"
    try:
        count = round(float(written) * FINENESS)
    except (ValueError, OverflowError):
        count = 0
    if count < 1:
        raise UnusableInput(f"{SHARES_VARIABLE} is {written!r}, not a number of shares from 0.1 on")
    return Places(Path(tempfile.gettempdir()) / f"youtube-occ-{os.getuid()}" / "gpu", count)


@contextlib.contextmanager
def gpu_share(share: float, waits: Callable[[], None]) -> Iterator[None]:
    """Hold a share of the graphics card; holds nothing where none is wanted or there is no card.

    share: 0 to 1. waits: called once if it is not free yet.
    """
    if share <= 0 or not _has_gpu():
        yield
        return
    with places_of_gpu().hold(max(1, round(share * FINENESS)), waits):
        began = time.perf_counter()
        try:
            yield
        finally:
            _held_s.append(share * (time.perf_counter() - began))


def gpu_seconds() -> float:
    """Return how long this process has had the card: seconds of the whole card, so far as shares were given back."""
    return sum(_held_s)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
