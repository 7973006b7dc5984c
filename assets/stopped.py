"""A run that somebody terminates says so in one line: where its code was at that moment is news to nobody."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterExecutionInterruptedError
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

STOPPED = "terminated on request; what was finished stays, and the next run goes on from there"


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
