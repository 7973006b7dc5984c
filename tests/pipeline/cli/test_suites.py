"""Suites as a user runs them: films that fail are rows, nothing is done twice, and nothing is cut in a pipe."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import FrozenSeeds, SettingsError
from tests.frozen import FROZEN
from tests.pipeline.room_video import write_room_video

from .runs import output, run


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A clip with cameras that is too short to be one, and one from outdoors that cannot be read."""
    clips, outdoors = tmp_path / "truth" / "clips", tmp_path / "truth" / "outdoor_and_mixed"
    clips.mkdir(parents=True)
    outdoors.mkdir()
    write_room_video(clips / "abc.mp4", 4)
    pose = " ".join(map(str, np.eye(4)[:3].ravel()))
    (clips / "abc.pose.txt").write_text("url\n" + "".join(f"{i} 0.8 1 0.5 0.5 0 0 {pose}\n" for i in range(4)))
    write_room_video(outdoors / "street.mp4", 3)
    return tmp_path / "truth"


def real(truth: Path, tmp_path: Path, *more: object) -> tuple[object, ...]:
    return ("score", "--suite", "real", "--truth", truth, "--data", tmp_path / "data", "--profile", "classic", *more)


def test_a_film_that_fails_is_a_row_with_its_reason_and_what_is_measured_is_kept(truth: Path, tmp_path: Path):
    shown = output(*real(truth, tmp_path))
    assert "suite real, profile classic" in shown
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in shown.splitlines() if "|" in line]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["clips"][:4] == ["1", "0", "0 of 4", "0"]
    assert by_name["outdoor_and_mixed: should be left out"][:4] == ["1", "0", "0 of 3", "0"]
    assert by_name["abc"][4:13] == ["-"] * 9
    assert by_name["abc"][-1].startswith("NoClips: abc-")
    assert "TooShort" in by_name["abc"][-1], "the whole of it is shown"
    assert shown[shown.index("suite real") :].isascii()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("ruler.json")}
    assert len(kept) == 2
    again = output(*real(truth, tmp_path))
    assert again.splitlines()[-5:] == shown.splitlines()[-5:]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_json_holds_the_same_and_nothing_else(truth: Path, tmp_path: Path):
    ended = run(*real(truth, tmp_path, "--json"))
    (report,) = json.loads(ended.stdout)
    assert (report["suite"], report["profile"]) == ("real", "classic")
    assert [part["name"] for part in report["parts"]] == ["clips", "outdoor_and_mixed: should be left out"]
    (shot,) = report["parts"][0]["shots"]
    assert (shot["frames"], shot["kept"], shot["auc10"]) == (4, 0, None)
    assert "0 of 2 films done; clips" in ended.stderr


def test_no_tour_makes_an_empty_table(tmp_path: Path):
    shown = output("score", "--suite", "tours", "--seeds", "7-6", "--data", tmp_path / "data", "--profile", "classic")
    assert "suite tours, profile classic" in shown
    assert "IoU, lost counted" in shown


def test_options_that_do_not_fit_say_what_to_do(tmp_path: Path):
    with pytest.raises(SettingsError, match="--truth or YOUTUBE_OCC_TRUTH"):
        run("score", "--suite", "real", "--data", tmp_path / "data")
    with pytest.raises(SettingsError, match="leave out --plot"):
        run("score", "--suite", "tours", "--plot", "a.png", "--data", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_frozen_tours_are_no_suite_without_a_purpose(tmp_path: Path):
    with pytest.raises(FrozenSeeds, match="--reporting"):
        run("score", "--suite", "tours", "--seeds", FROZEN, "--data", tmp_path / "data", "--profile", "classic")
    assert not (tmp_path / "data").exists()


def test_json_is_refused_where_no_suite_is_named_and_nothing_is_built(tmp_path: Path):
    with pytest.raises(SettingsError, match="--suite"):
        run("score", "--json", "--data", tmp_path / "data")
    assert not (tmp_path / "data").exists()
