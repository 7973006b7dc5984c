"""What holds in all tests: properties are searched without a clock, and collecting them costs no work twice."""

import fcntl
import gc
from collections.abc import Generator

import pytest
from hypothesis import settings

Report = Generator[None, pytest.CollectReport, pytest.CollectReport]

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
    """
    if not isinstance(collector, pytest.Module):
        return (yield)
    with collector.path.open(encoding="utf-8") as module:
        fcntl.flock(module, fcntl.LOCK_EX)
        return (yield)
