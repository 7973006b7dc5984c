"""A run that is interrupted, in a process of its own, as a user's "Terminate" interrupts it."""

import dagster as dg
import pytest
from dagster import DagsterExecutionInterruptedError

from assets.stopped import STOPPED, terminated_in_one_line


@dg.op
def interrupted() -> None:
    with terminated_in_one_line():
        raise DagsterExecutionInterruptedError


@dg.job
def stopping() -> None:
    interrupted()


def test_an_interrupt_is_one_line_without_a_stack():
    with dg.DagsterInstance.ephemeral() as instance:
        result = stopping.execute_in_process(instance=instance, raise_on_error=False)
        events = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert not result.success
    (failed,) = [event.dagster_event for event in events if event.dagster_event]
    error = failed.step_failure_data.error
    assert error is not None
    assert (error.message.strip(), error.stack, error.cause) == (STOPPED, [], None)


def test_what_is_no_interrupt_is_shown_in_full():
    with pytest.raises(ValueError, match="wrong"), terminated_in_one_line():
        raise ValueError("wrong")
