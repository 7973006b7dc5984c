import dagster as dg
import pytest

from assets.progress import RunEvents, both, echo_report, events_of
from pipeline.contract.records import LeftOut
from pipeline.stages.run import StageReport
from tests.pipeline.provenances import provenance


@pytest.mark.parametrize(("reused", "state"), [(True, "kept"), (False, "12.3 s")])
def test_a_stage_is_a_line_with_its_counts_and_one_below_for_every_clip_left_out(
    capsys: pytest.CaptureFixture[str], reused: bool, state: str
):
    left_out = (LeftOut("clips", 4, "TooShort", "0.4 s"),)
    made = provenance("clips", seconds=12.345, counts={"clips": 2, "share": 0.123456}, left_out=left_out)
    echo_report("tour-1", StageReport(made, reused))
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"tour-1           clips           done  {state}: clips 2, share 0.1235"
    assert second.split() == ["left", "out", "clip", "4:", "TooShort:", "0.4", "s"]


def test_of_many_reports_few_are_events_and_they_say_how_long_it_takes():
    told: list[str] = []
    often, seldom = RunEvents(told.append, every_s=0), RunEvents(told.append, every_s=3600)
    for done in range(200):
        seldom("reconstruction", done, 200)
    assert told == []
    often("reconstruction", 0, 4)
    often("reconstruction", 1, 4)
    often("reconstruction", 2, 4, "clip 2")
    assert told[0] == "reconstruction 0%: 0 of 4"
    assert told[1].startswith("reconstruction 25%: 1 of 4, about 0 s left")
    assert told[2].startswith("reconstruction 50%: clip 2, about 0 s left"), "beside a note, too"


def test_what_was_said_is_not_said_again():
    told: list[str] = []
    events = RunEvents(told.append, every_s=0)
    for _ in range(3):
        events("videos", 0, 3)
    assert told == ["videos 0%: 0 of 3"]


def test_work_goes_on_where_an_event_cannot_be_written():
    def locked(line: str) -> None:
        raise OSError(f"database is locked: {line}")

    told: list[str] = []
    report = both(RunEvents(locked, every_s=0), RunEvents(told.append, every_s=0))
    report("scene", 1, 2)
    assert told == ["scene 50%: 1 of 2"]


def test_events_are_on_the_page_of_a_run_and_not_on_the_screen(capfd: pytest.CaptureFixture[str]):
    @dg.op
    def work(context: dg.OpExecutionContext) -> None:
        events = events_of(context.instance, context.run)
        events._every, events._next = 0.0, 0.0
        events("reconstruction", 1, 4)

    @dg.job
    def one() -> None:
        work()

    with dg.DagsterInstance.ephemeral() as instance:
        run = one.execute_in_process(instance=instance)
        shown = [entry.message for entry in instance.all_logs(run.run_id) if entry.message.startswith("reconstr")]
    assert shown == ["reconstruction 25%: 1 of 4"]
    assert "reconstruction 25%" not in "".join(capfd.readouterr())
