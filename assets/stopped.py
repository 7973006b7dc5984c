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

BUILT_BY = "youtube_occ/built_by"
"""Tag of runs that a worker makes for another run, which no launcher has started either."""

SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_UNTIL_AGAIN = 10.0
"""An interrupt that falls into a library which calls Python from C, as some do while they are loaded, is lost."""

_HEARD = threading.Event()
"""Set once an interrupt of the run of this process has arrived; another one would cut off what ends it."""


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
        _HEARD.set()
        raise Terminated from None


@contextmanager
def ends_when_terminated(instance: DagsterInstance | None, run: DagsterRun | None) -> Iterator[None]:
    """Interrupt the block once its run is to be terminated, where no launcher has started it: it looks for itself."""
    if instance is None or run is None or (sys.argv[1:3] not in BY_HAND and BUILT_BY not in run.tags):
        yield
        return
    is_over = threading.Event()
    _HEARD.clear()
    watch = threading.Thread(target=_watch, args=(instance, run.run_id, is_over), daemon=True)
    watch.start()
    try:
        with _lost_interrupts_without_a_trace():
            yield
    finally:
        is_over.set()


@contextmanager
def _lost_interrupts_without_a_trace() -> Iterator[None]:
    """Print nothing of an interrupt that fell where Python can raise nothing: it is sent again."""
    before = sys.unraisablehook

    def passed_over(found: "sys.UnraisableHookArgs") -> None:
        if not issubclass(found.exc_type, KeyboardInterrupt | DagsterExecutionInterruptedError):
            before(found)

    sys.unraisablehook = passed_over
    try:
        yield
    finally:
        sys.unraisablehook = before


def _watch(instance: DagsterInstance, run_id: str, is_over: threading.Event) -> None:
    seconds = SECONDS_BETWEEN_LOOKS
    while not is_over.wait(seconds):
        with suppress(Exception):  # a database that does not answer is asked again
            run = instance.get_run_by_id(run_id)
            is_to_end = run is not None and run.status is DagsterRunStatus.CANCELING
            if is_to_end and not (is_over.is_set() or _HEARD.is_set()):
                os.kill(os.getpid(), signal.SIGINT)
                seconds = SECONDS_UNTIL_AGAIN
