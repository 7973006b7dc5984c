import pytest

from assets.progress import echo_report
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
