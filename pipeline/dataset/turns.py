"""Whose turn it is to write what all videos share: one process of one machine at a time."""

import contextlib
import math
from collections.abc import Iterator

from filelock import FileLock

from pipeline.contract.waits import held_aloud
from pipeline.store.hold import held
from pipeline.store.store import Store

LEASE = "all.dataset"
"""No id of a video has a dot."""
TABLES = "the dataset's tables"


@contextlib.contextmanager
def writing(store: Store) -> Iterator[Store]:
    """Wait for this process's turn, and give a store that refuses to write once it is another machine's.

    Raises:
        LeaseLost: of a write in the block: this machine stood still so long that another one writes the dataset.
    """
    with (
        held_aloud(FileLock(store.make_scratch() / "dataset.lock"), TABLES),
        held(store, LEASE, TABLES, timeout_s=math.inf) as ours,
    ):
        yield ours.mirrored(("dataset",), is_held=True)
