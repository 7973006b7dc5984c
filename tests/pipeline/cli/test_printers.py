import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import MissingExtra
from pipeline.cli.printers import bar, console, error_line, errors_in_one_line, report_lines
from pipeline.contract.errors import BrokenVideo, SettingsError
from pipeline.contract.records import LeftOut
from pipeline.stages.run import StageReport
from tests.paths import ROOT
from tests.pipeline.provenances import provenance


def report(*left_out: LeftOut, reused: bool = False) -> StageReport:
    counts = {"clips": 2.0, "mean_score": 0.123456}
    return StageReport(provenance("clips", seconds=3.14159, counts=counts, left_out=left_out), reused)


def test_a_stage_is_one_line_with_its_seconds_and_counts():
    assert report_lines(report()).plain == "  clips              3.1 s  clips 2, mean_score 0.1235"
    assert report_lines(report(reused=True)).plain == "  clips               kept  clips 2, mean_score 0.1235"


def test_every_clip_that_was_left_out_has_a_line_below():
    lines = report_lines(report(LeftOut("clips", 3, "TooShort", "0.4 s"), LeftOut("clips", None, "Dark", "[red]x")))
    assert lines.plain.splitlines()[1:] == [
        "    left out clip 3: TooShort: 0.4 s",
        "    left out clip None: Dark: [red]x",
    ]


def test_an_error_is_its_kind_and_what_it_says():
    line = error_line(BrokenVideo("no [bold]frame[/bold]"))
    assert line.plain == "BrokenVideo: no [bold]frame[/bold]"
    assert [line.plain[span.start : span.end] for span in line.spans] == ["BrokenVideo"]


@pytest.mark.parametrize("error", [SettingsError("no such profile"), MissingExtra("web", "videos")])
def test_errors_made_on_purpose_end_with_status_1_and_one_line(error: Exception, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended, errors_in_one_line():
        raise error
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines() == [f"{type(error).__name__}: {error}"]


def test_other_errors_are_not_hidden(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ZeroDivisionError), errors_in_one_line():
        raise ZeroDivisionError
    assert capsys.readouterr().out == ""


def test_brackets_in_what_is_shown_are_brackets(capsys: pytest.CaptureFixture[str]):
    console.print("a house [red]tour[/red] [1/2]")
    with bar() as progress:
        progress("[bold]task", 1, 2, "[note]")
        progress.console.print("video [x]")
    shown = capsys.readouterr().out
    assert "a house [red]tour[/red] [1/2]" in shown
    assert "video [x]" in shown


def test_a_bar_shows_the_share_of_its_task_and_the_note(capsys: pytest.CaptureFixture[str]):
    with bar() as progress:
        progress("clips", 1, 4, "clip 1")
    shown = capsys.readouterr().out
    assert "clips" in shown
    assert "25 %" in shown
    assert "clip 1" in shown


def test_a_task_of_nothing_does_not_divide_by_zero(capsys: pytest.CaptureFixture[str]):
    with bar() as progress:
        progress("clips", 0, 0)
    assert "0 %" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a [id].mp4", "[abc] é [bold].mp4", ":house: [red].mp4"])
def test_what_is_foreign_is_shown_as_it_is_in_a_pipe_that_knows_ascii_alone(tmp_path: Path, name: str):
    folder = tmp_path / "videos of a folder whose name is long enough to be cut at eighty columns"
    folder.mkdir()
    (folder / name).write_text("no video")
    variables = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "C", "PYTHONPATH": str(ROOT)}
    variables.pop("COLUMNS", None)

    def said(*words: str) -> str:
        command = [sys.executable, "-m", "pipeline", *words, "--data", str(tmp_path / "data")]
        return subprocess.run(command, env=variables, capture_output=True, text=True, cwd=ROOT, check=False).stdout

    shown = name.encode("ascii", "backslashreplace").decode()
    failed = said("process", str(folder / name)).splitlines()[-1]
    assert failed.startswith("BrokenVideo: ")
    assert shown in failed
    assert "copy" not in failed
    assert str(folder / shown) in said("sources", "states")
