"""What holds in all tests: properties are searched without a clock, and collecting them costs no work twice."""

import fcntl
import gc
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

Report = Generator[None, pytest.CollectReport, pytest.CollectReport]

LOOK_AGAIN_S = 0.05

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def pytest_collection() -> None:
    """Collect without looking for garbage: a million objects are made, and nearly all of them stay."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Report:
    """Rewrite the assertions of a module in one process: others wait for its turn and read what that one wrote.

    In a new clone all processes of a run begin with the same module, and each spent ten seconds on rewriting.
    Nobody waits for what the module imports: pytest writes the rewritten module before it is executed.
    """
    if not isinstance(collector, pytest.Module):
        return (yield)
    with collector.path.open(encoding="utf-8") as module:
        while not _is_rewritten(collector.path):
            with suppress(BlockingIOError):
                fcntl.flock(module, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(LOOK_AGAIN_S)
        return (yield)


def _is_rewritten(module: Path) -> bool:
    """Tell whether a process has rewritten a module; pytest itself decides whether what it wrote is still right."""
    written = (module.parent / "__pycache__").glob(f"{module.stem}.{sys.implementation.cache_tag}-pytest-*.pyc")
    return any(file.stat().st_mtime >= module.stat().st_mtime for file in written)
