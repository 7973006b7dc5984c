"""What a worker does with an order: one run of ``process_video`` in its process, of which nothing stays behind."""

import contextlib
import gc
import importlib
import logging
import os
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster._utils.interrupts import capture_interrupts

from assets.pools.base import Order, Outcome
from assets.resources import PARTITION_TAG, PARTITIONS
from models.memory import data_bytes, machine_bytes

MOST_KEPT = 0.5
"""Share of the machine's memory that a worker may hold between two videos; the next one is to have room."""


class Resident:
    """Makes runs for one instance of Dagster; the definitions are loaded once, and networks where stages keep them."""

    def __init__(self) -> None:
        definitions: dg.Definitions = importlib.import_module("assets").definitions  # as Dagster loads them, by name
        self._job = definitions.resolve_job_def("process_video")
        self._instance = dg.DagsterInstance.get()

    def build(self, order: Order) -> Outcome:
        """Make one run; an interrupt ends it and no more than it.

        Interrupts may leave libraries half loaded: whoever was interrupted is worn.
        """
        try:
            with as_it_was(), capture_interrupts(), self._instance_for(order) as instance:
                result = self._job.execute_in_process(order.run_config, instance, tags=order.tags, raise_on_error=False)
            was_interrupted = result.dagster_run.status is dg.DagsterRunStatus.CANCELED
        except Exception as error:  # noqa: BLE001 - the one who ordered it says so, in one line
            return Outcome(worn=True, error=f"{type(error).__name__}: {' '.join(str(error).split())}"[:500])
        return Outcome(worn=was_interrupted or _holds_much())

    @contextlib.contextmanager
    def _instance_for(self, order: Order) -> Iterator[dg.DagsterInstance]:
        """Give the instance that shows a run, or one that is forgotten with it."""
        if order.is_shown:
            yield self._instance
            return
        with dg.DagsterInstance.ephemeral() as forgotten:
            forgotten.add_dynamic_partitions(PARTITIONS, [order.tags[PARTITION_TAG]])
            yield forgotten


def _holds_much() -> bool:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    return data_bytes() > MOST_KEPT * machine_bytes()


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """Put back afterwards what a video may change of the whole process, so that the next one begins like the first."""
    environment, folder, logger = dict(os.environ), Path.cwd(), logging.getLogger()
    handlers, level, most = list(logger.handlers), logger.level, resource.getrlimit(resource.RLIMIT_DATA)
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with warnings.catch_warnings():
            yield
    finally:
        if environment != dict(os.environ):
            os.environ.clear()
            os.environ.update(environment)
        os.chdir(folder)
        logger.handlers[:] = handlers
        logger.setLevel(level)
        resource.setrlimit(resource.RLIMIT_DATA, most)
        if threading.current_thread() is threading.main_thread():
            for number, handler in signals.items():
                signal.signal(number, handler)
