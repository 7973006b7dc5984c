import pytest

from assets.progress import RunEvents, both, echo_report
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


class Told:
    """Keeps what is said, as the log of a run does."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, msg: object) -> None:
        self.lines.append(str(msg))


def test_of_many_reports_few_are_events_and_they_say_how_long_it_takes():
    told = Told()
    often, seldom = RunEvents(told, every_s=0), RunEvents(told, every_s=3600)
    for done in range(200):
        seldom("reconstruction", done, 200)
    assert told.lines == []
    often("reconstruction", 0, 4)
    often("reconstruction", 1, 4)
    often("reconstruction", 2, 4, "clip 2")
    assert told.lines[0] == "reconstruction 0%: 0 of 4"
    assert told.lines[1].startswith("reconstruction 25%: 1 of 4, about 0 s left")
    assert told.lines[2] == "reconstruction 50%: clip 2"


def test_work_goes_on_where_an_event_cannot_be_written():
    class Locked(Told):
        def info(self, msg: object) -> None:
            raise OSError(f"database is locked: {msg}")

    told = Told()
    report = both(RunEvents(Locked(), every_s=0), RunEvents(told, every_s=0))
    report("scene", 1, 2)
    assert told.lines == ["scene 50%: 1 of 2"]
