"""What is made once for all processes that run the tests: the first one that needs it makes it, the others wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock


@contextmanager
def shared_folder(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """Give the folder of that name that all processes of this run share; one process holds it at a time."""
    shared = factory.getbasetemp()
    if "popen-" in shared.name:
        shared = shared.parent
    with FileLock(shared / f"{name}.lock"):
        (shared / name).mkdir(exist_ok=True)
        yield shared / name
