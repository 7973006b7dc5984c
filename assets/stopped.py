"""A run that somebody terminates ends, and says so in one line: where its code was at that moment is news to nobody."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dagster import DagsterExecutionInterruptedError, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

STOPPED = "terminated on request; what was finished stays, and the next run goes on from there"

BY_HAND = (["job", "execute"], ["asset", "materialize"])
"""Commands whose runs no launcher has started, so that Dagster has no process to tell of a "Terminate"."""

SECONDS_BETWEEN_LOOKS = 2.0


class Terminated(DagsterExecutionInterruptedError, DagsterUserCodeProcessError):
    """An interrupt that Dagster shows as one line.

    Dagster takes what it shows of an error in another process from the error itself, and writes down the stack of
    every other one; to all else this is the interrupt that it is.
    """

    def __init__(self) -> None:
        shown = SerializableErrorInfo(message=f"{STOPPED}\n", stack=[], cls_name="Terminated")
        DagsterUserCodeProcessError.__init__(self, STOPPED, user_code_process_error_infos=[shown])  # type: ignore[no-untyped-call]


@contextmanager
def terminated_in_one_line() -> Iterator[None]:
    """Let an interrupt of the block be shown as one line."""
    try:
        yield
    except DagsterExecutionInterruptedError:
        raise Terminated from None


@contextmanager
def ends_when_terminated(instance: DagsterInstance | None, run: DagsterRun | None) -> Iterator[None]:
    """Interrupt the block once its run is to be terminated, where a command has started it: it looks for itself."""
    if instance is None or run is None or sys.argv[1:3] not in BY_HAND:
        yield
        return
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(instance, run.run_id, is_over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        is_over.set()


def _watch(instance: DagsterInstance, run_id: str, is_over: threading.Event) -> None:
    while not is_over.wait(SECONDS_BETWEEN_LOOKS):
        with suppress(Exception):  # a database that does not answer is asked again
            run = instance.get_run_by_id(run_id)
            if run is not None and run.status is DagsterRunStatus.CANCELING and not is_over.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                return
